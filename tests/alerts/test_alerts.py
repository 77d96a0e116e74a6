"""Tests the alerts against programs that are not ours: an SMTP server (aiosmtpd) with STARTTLS and TLS, and a Feishu bot
whose check of the signature is that of the package lark-webhook-notify.

Needs VCQ_ETL, the path of the program. Run it with: python -m unittest tests/alerts/test_alerts.py
"""

import email
import email.policy
import http.server
import itertools
import json
import logging
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from lark_webhook_notify.client import gen_sign

# The server warns of what a test is about.
logging.disable(logging.WARNING)

PROGRAM = os.environ["VCQ_ETL"]
HOOK = "Zq9-made-up-hook-token"
SECRET = "Zq9-made-up-bot-secret"
USER, PASSWORD = "vcq", "Zq9 made-up p\u00e4ssword"

HERE = pathlib.Path(__file__).parent
# A report of the user's own in the place of the shipped one, with its header and one incident.
SHIPPED = (HERE / "../../sql/reports/incidents.sql").read_text(encoding="utf-8").splitlines(keepends=True)
HEADER = "".join(itertools.takewhile(lambda line: line.startswith("--"), SHIPPED))
INCIDENTS = HEADER + (HERE / "incident.sql").read_text(encoding="utf-8")
SETTINGS = (HERE / "vcq.toml").read_text(encoding="utf-8")

TITLE = "11月20日（周五）09:40–12:06，海港 <at id=all></at> House：收发双向抖动过大，影响 7 位人员（含会议室）、3 场会议"


class Bot(http.server.BaseHTTPRequestHandler):
    """Feishu's custom bot with a signature check."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append((self.path, body))
        is_recent = abs(time.time() - int(body.get("timestamp", "0"))) < 3600
        is_signed = is_recent and body.get("sign") == gen_sign(body["timestamp"], SECRET)
        answer = {"code": 0, "msg": "success", "data": {}}
        if not is_signed:
            answer = {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Mailbox:
    """Keeps what the SMTP server accepts."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, encrypted, mail))
        return "250 accepted"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_password(server, session, envelope, mechanism, auth_data):
    is_known = isinstance(auth_data, LoginPassword) and auth_data.password.decode() == PASSWORD
    # Not handled: the server answers a refusal itself.
    return AuthResult(success=is_known and auth_data.login.decode() == USER, handled=False)


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        # A store with data: a simulated tenant, synced by the program.
        demo = subprocess.run([PROGRAM, "demo", "--store", cls.root / "store"], env=cls.environment(), capture_output=True)
        assert demo.returncode == 0, demo.stderr.decode()
        cls.ca = trustme.CA()
        certificate = cls.ca.issue_cert("localhost")
        cls.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(cls.tls)
        cls.ca.cert_pem.write_to_path(cls.root / "ca.pem")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def environment(cls):
        return {"HOME": str(cls.root), "TMPDIR": str(cls.root), **{
            name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}}

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="ops-", dir=self.root))
        (self.work / "reports").mkdir()
        self.channel = self.work.name
        self.write("reports/incidents.sql", INCIDENTS)

    def write(self, name, text):
        path = self.work / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def configure(self, channel):
        # Names of its own, because all tests use one store.
        settings = SETTINGS.replace('"outage"', f'"{self._testMethodName[5:60]}"').replace('"it-ops"', f'"{self.channel}"')
        self.write("vcq.toml", f"{settings}\n[channels.{self.channel}]\n{channel}\n")

    def alert(self, *arguments, exit_code=0, trust=True):
        environment = self.environment()
        if trust:
            environment["SSL_CERT_FILE"] = str(self.root / "ca.pem")
        command = [PROGRAM, "alert", *arguments, "--store", self.root / "store"]
        ran = subprocess.run(command, cwd=self.work, env=environment, capture_output=True, timeout=60)
        output = ran.stdout.decode() + ran.stderr.decode()
        self.assertEqual(ran.returncode, exit_code, output)
        for secret in (HOOK, SECRET, PASSWORD):
            self.assertNotIn(secret, output)
            self.assertNotIn(secret.encode(), b"".join(path.read_bytes() for path in (self.root / "store/state").iterdir()))
        return output

    # Feishu

    def bot(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bot)
        server.received = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.write("bot-url", f"http://127.0.0.1:{server.server_port}/open-apis/bot/v2/hook/{HOOK}")
        return server

    def test_the_signature_is_the_one_that_another_program_computes(self):
        bot = self.bot()
        self.configure('kind = "feishu"\nurl_file = "bot-url"\nsecret_file = "bot-secret"')
        self.write("bot-secret", SECRET + "\n")
        self.assertIn("已发送：规则", self.alert("check"))
        path, body = bot.received[0]
        self.assertEqual(path, f"/open-apis/bot/v2/hook/{HOOK}")
        self.assertEqual(body["card"]["header"]["title"]["content"], TITLE)
        self.assertEqual(body["card"]["header"]["template"], "orange")
        self.alert("test", self.channel)

    def test_a_wrong_secret_is_named_and_the_message_is_sent_once_it_is_right(self):
        bot = self.bot()
        self.configure('kind = "feishu"\nurl_file = "bot-url"\nsecret_file = "bot-secret"')
        self.write("bot-secret", "another-secret")
        output = self.alert("check", exit_code=7)
        self.assertIn("错误码 19021", output)
        self.assertIn("核对密钥", output)
        self.write("bot-secret", SECRET)
        self.assertIn("已发送：规则", self.alert("check"))
        self.assertEqual([body["card"] for _, body in bot.received], [bot.received[0][1]["card"]] * 2)
        # Without a secret it is not signed.
        self.configure('kind = "feishu"\nurl_file = "bot-url"')
        self.alert("test", self.channel, exit_code=7)
        self.assertNotIn("sign", bot.received[-1][1])

    # E-mail

    def smtp(self, **options):
        mailbox = Mailbox()
        controller = Controller(
            mailbox, hostname="localhost", port=free_port(), authenticator=check_password, **options
        )
        controller.start()
        self.addCleanup(controller.stop)
        self.write("smtp-password", PASSWORD + "\n")
        return mailbox, controller.port

    def mail_channel(self, port, tls):
        return f"""kind = "email"
host = "localhost"
port = {port}
tls = "{tls}"
user = "{USER}"
password_file = "smtp-password"
from = "vcq-etl <vcq@example.com>"
to = ["ops@example.com", "运维 <desk@example.com>"]"""

    def assert_mail(self, mailbox):
        self.assertEqual(len(mailbox.mails), 1)
        sender, recipients, encrypted, mail = mailbox.mails[0]
        self.assertTrue(encrypted)
        self.assertEqual((sender, recipients), ("vcq@example.com", ["ops@example.com", "desk@example.com"]))
        self.assertEqual(mail["subject"], TITLE)
        self.assertEqual(mail["auto-submitted"], "auto-generated")
        self.assertEqual([address.display_name for address in mail["to"].addresses], ["", "运维"])
        self.assertEqual(mail.get_content_type(), "text/plain")
        text = mail.get_content()
        self.assertIn("对比：质差率 62.4%；此前 28 天为 0.4%，同期其他人为 0.6%", text)
        self.assertIn("vcq-etl report incident a1b2c3", text)

    def test_mail_by_starttls(self):
        mailbox, port = self.smtp(tls_context=self.tls, require_starttls=True, auth_required=True)
        self.configure(self.mail_channel(port, "starttls"))
        self.alert("check")
        self.assert_mail(mailbox)

    def test_mail_by_tls(self):
        mailbox, port = self.smtp(ssl_context=self.tls, auth_required=True, auth_require_tls=False)
        self.configure(self.mail_channel(port, "tls"))
        self.alert("check")
        self.assert_mail(mailbox)

    def test_an_untrusted_server_gets_neither_mail_nor_password(self):
        mailbox, port = self.smtp(ssl_context=self.tls, auth_required=True, auth_require_tls=False)
        self.configure(self.mail_channel(port, "tls"))
        self.assertIn("未送达", self.alert("check", exit_code=7, trust=False))
        self.assertEqual(mailbox.mails, [])
        self.alert("check")
        self.assert_mail(mailbox)

    def test_a_server_without_encryption_gets_neither_mail_nor_password(self):
        mailbox, port = self.smtp(auth_require_tls=False)
        self.configure(self.mail_channel(port, "starttls"))
        self.assertIn("未送达", self.alert("check", exit_code=7))
        self.assertEqual(mailbox.mails, [])

    def test_a_wrong_password_is_named(self):
        mailbox, port = self.smtp(tls_context=self.tls, require_starttls=True, auth_required=True)
        self.write("smtp-password", "Zq9-another-password")
        self.configure(self.mail_channel(port, "starttls"))
        self.assertIn("535", self.alert("check", exit_code=7))
        self.assertEqual(mailbox.mails, [])


if __name__ == "__main__":
    unittest.main()
