"""The container image without a container engine: the instructions of the Dockerfile are carried out in a folder on a
minimal Debian, and the image is run in a sandbox with the restrictions of compose.yaml.

    container.py DIST      root; needs debootstrap and bubblewrap

What this does not show: that an engine builds the image, and that its network and volumes work.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from ruamel.yaml import YAML

PROJECT = Path(__file__).resolve().parent.parent.parent
CONTAINER = PROJECT / "packaging/container"
BASE = PROJECT / "target/container/base"
DIST = Path(sys.argv[1]).resolve()
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def run(*command, exit_code=0, **options):
    words = [str(word) for word in command]
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    assert done.returncode == exit_code, f"{words} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def mirror():
    for path in ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]:
        found = re.search(r"^(?:URIs:|deb)\s.*?(https?://\S+)", Path(path).read_text() if os.path.exists(path) else "", re.M)
        if found:
            return found.group(1)
    return "http://deb.debian.org/debian"


def base(name):
    suite = re.fullmatch(r"debian:(\w+)-slim", name).group(1)
    if not (BASE / "etc/debian_version").exists():
        shutil.rmtree(BASE, ignore_errors=True)
        BASE.parent.mkdir(parents=True, exist_ok=True)
        run("debootstrap", "--variant=minbase", suite, BASE, mirror())


class Image:
    """What a Dockerfile makes: a root file system and how a container is started."""

    def __init__(self, root):
        self.root = root
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.arguments = {"TARGETARCH": ARCHITECTURE}
        self.user, self.folder, self.volumes, self.entrypoint, self.command = "0:0", "/", [], [], []
        text = (CONTAINER / "Dockerfile").read_text()
        text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", "")
        for line in text.splitlines():
            instruction, _, rest = line.partition(" ")
            getattr(self, "do_" + instruction)(rest)

    def filled(self, text):
        return re.sub(r"\$\{(\w+)\}", lambda name: self.arguments[name.group(1)], text)

    def do_FROM(self, name):
        base(name)
        run("cp", "--archive", BASE, self.root)

    def do_ARG(self, name):
        assert name in self.arguments, name

    def do_COPY(self, rest):
        source, to = self.filled(rest).split()
        found = sorted(DIST.glob(source))
        assert len(found) == 1, f"{source} in {DIST}: {found}"
        shutil.copy(found[0], self.root / to.lstrip("/"))

    def do_RUN(self, command):
        words = ["bwrap", "--bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--clearenv"]
        words += ["--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"]
        for name, value in {**self.environment, **self.arguments}.items():
            words += ["--setenv", name, value]
        run(*words, "sh", "-c", command)

    def do_ENV(self, rest):
        self.environment.update(word.split("=", 1) for word in shlex.split(rest))

    def do_USER(self, user):
        self.user = user

    def do_WORKDIR(self, folder):
        self.folder = folder

    def do_VOLUME(self, folder):
        self.volumes.append(folder)

    def do_ENTRYPOINT(self, rest):
        self.entrypoint = json.loads(rest)

    def do_CMD(self, rest):
        self.command = json.loads(rest)


class Service:
    """A service of compose.yaml on an image."""

    def __init__(self, image, name, sources, secrets, environment):
        compose = YAML(typ="safe").load((CONTAINER / "compose.yaml").read_text())
        service = compose["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["user"] == image.user
        assert service["security_opt"] == ["no-new-privileges:true"]
        mounts = [(mount.split(":") + ["rw"])[:3] for mount in service["volumes"]]
        writable = [place for _, place, mode in mounts if mode == "rw"]
        assert writable == image.volumes, "one volume to write to, the one of the image"
        user, group = image.user.split(":")
        words = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
        words += ["bwrap", "--ro-bind", image.root, "/", "--proc", "/proc", "--dev", "/dev"]
        words += ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--uid", user, "--gid", group]
        words += ["--cap-drop", "ALL", "--die-with-parent", "--clearenv", "--chdir", image.folder]
        for folder in service["tmpfs"]:
            words += ["--tmpfs", folder]
        for source, place, mode in mounts:
            words += ["--bind" if mode == "rw" else "--ro-bind", sources[source], place]
        words += ["--tmpfs", "/run"]
        for secret in service["secrets"]:
            words += ["--ro-bind", secrets[secret], f"/run/secrets/{secret}"]
        given = {**image.environment}
        for key, value in service["environment"].items():
            given[key] = re.sub(r"\$\{(\w+)[^}]*\}", lambda name: environment[name.group(1)], value)
        # Instead of a region: the simulator.
        del given["VCQ_REGION"]
        given["VCQ_BASE_URL"] = environment["VCQ_BASE_URL"]
        for key, value in given.items():
            words += ["--setenv", key, value]
        self.words = words
        self.entrypoint = service.get("entrypoint", image.entrypoint)
        # compose reads two dollar signs as one.
        self.command = [word.replace("$$", "$") for word in service.get("command", image.command)]

    def run(self, *arguments, exit_code=0):
        return run(*self.words, *self.entrypoint, *(arguments or self.command), exit_code=exit_code)

    def shell(self, text, exit_code=0):
        return run(*self.words, "sh", "-c", text, exit_code=exit_code)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        image = Image(folder / "root")
        check_package(image)
        check_service(image, folder)
    print("test-container: passed")


def check_package(image):
    """The Debian package, installed with its dependencies, and removed from a copy of the image."""
    size = int(run("du", "--summarize", "--bytes", image.root).split()[0])
    print(f"root file system: {size / 1e6:.0f} MB, of which Debian {int(run('du', '-sb', BASE).split()[0]) / 1e6:.0f} MB")
    copy = image.root.with_name("copy")
    run("cp", "--archive", image.root, copy)
    run("chroot", copy, "dpkg", "--verify", "vcq-etl")
    run("chroot", copy, "apt-get", "purge", "--yes", "vcq-etl")
    left = [path for path in copy.rglob("*vcq-etl*") if not str(path.relative_to(copy)).startswith(("var/log", "proc"))]
    assert left == [], left


def check_service(image, folder):
    simulator = subprocess.Popen(
        # The program finds its library by /proc.
        ["bwrap", "--ro-bind", str(image.root), "/", "--proc", "/proc", "--dev", "/dev", "--die-with-parent"]
        + ["vcq-etl", "simulate", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    try:
        started = read_start(simulator)
        sources = {"data": folder / "volume", "./settings": folder / "settings"}
        for source in sources.values():
            source.mkdir(mode=0o700)
            os.chown(source, 65532, 65532)
        secret = owned(folder / "app-secret", started["app_secret"])
        environment = {
            "VCQ_APP_ID": started["app_id"], "VCQ_REGION": "feishu", "VCQ_TIMEZONE": "Asia/Shanghai",
            "VCQ_BASE_URL": started["base_url"],
        }
        service = Service(image, "vcq-etl", sources, {"app-secret": secret}, environment)
        assert service.shell("id -u; id -g").split() == ["65532", "65532"]
        assert "Read-only" in service.shell("touch /x /usr/x", exit_code=1)
        assert "CapEff:\t0000000000000000" in service.shell("cat /proc/self/status")
        service.run("--help")
        service.run("doctor")
        began = time.monotonic()
        service.run("sync", "--since", "2d", "--quiet")
        print(f"sync in the container: {time.monotonic() - began:.1f} s")
        assert int(service.run("query", "select count(*) from meetings", "--format", "csv").split()[-1]) > 0
        check_settings(service, sources["./settings"])
        check_nightly(image, sources, secret, environment)
    finally:
        simulator.terminate()
        simulator.wait()


def owned(path, text):
    """A file that only the user of the container can read."""
    path.write_text(text + "\n")
    path.chmod(0o400)
    os.chown(path, 65532, 65532)
    return path


class Bot(BaseHTTPRequestHandler):
    """Takes messages as the bot of a Feishu group does."""

    paths = []

    def do_POST(self):
        self.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert "sign" in body, "the secret was not read"
        answer = b'{"code": 0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def check_settings(service, settings):
    """vcq.toml and the secrets of a bot come from the mounted folder; nothing can be written there."""
    bot = HTTPServer(("127.0.0.1", 0), Bot)
    threading.Thread(target=bot.serve_forever, daemon=True).start()
    owned(settings / "bot-url", f"http://127.0.0.1:{bot.server_port}/hook")
    owned(settings / "bot-secret", "s3cret")
    owned(
        settings / "vcq.toml",
        'threads = 1\n[channels.it-ops]\nkind = "feishu"\nurl_file = "bot-url"\nsecret_file = "bot-secret"\n',
    )
    assert "Read-only" in service.shell("touch /etc/vcq-etl/x", exit_code=1)
    service.run("doctor")
    service.run("alert", "test", "it-ops")
    service.run("alert", "failed", "--status", "3")
    service.run("alert", "failed", "--status", "7")
    assert Bot.paths == ["/hook", "/hook"], f"a test message and that of a fault: {Bot.paths}"
    bot.shutdown()


def check_nightly(image, sources, secret, environment):
    """The loop of the service `nightly`, with a clock that makes it run at once, and stopped while it waits."""
    service = Service(image, "nightly", sources, {"app-secret": secret}, environment)
    loop = service.command[0]
    # The first night begins in two seconds.
    loop = loop.replace("next=$(date -d 'today 02:15' +%s)", "next=${first:-$((now + 2))} first=0", 1)
    assert "first" in loop, loop
    process = subprocess.Popen(
        [str(word) for word in [*service.words, *service.entrypoint, loop]], stdout=subprocess.PIPE, text=True
    )
    summary = json.loads(process.stdout.readline())
    assert summary["exit_code"] == 0, summary
    time.sleep(1)
    began = time.monotonic()
    # The engine signals the first process of the container, which is the shell.
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    shell = Path(f"/proc/{children[0]}/task/{children[0]}/children").read_text().split()
    os.kill(int((shell or children)[0]), signal.SIGTERM)
    process.wait(timeout=20)
    assert time.monotonic() - began < 10


def read_start(simulator):
    """The address and the credentials that the simulator prints."""
    text = ""
    while "VCQ_APP_SECRET" not in text:
        line = simulator.stdout.readline()
        assert line, f"the simulator ended:\n{text}"
        text += line
    value = lambda name: re.search(rf"{name}=['\"]?([^'\"\s]+)", text).group(1)
    return {"app_secret": value("VCQ_APP_SECRET"), "app_id": value("VCQ_APP_ID"), "base_url": value("VCQ_BASE_URL")}


if __name__ == "__main__":
    main()
