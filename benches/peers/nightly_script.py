"""The script that a team writes in an afternoon: yesterday's meetings, their participants, the quality of each, into SQLite.

    python nightly_script.py DATABASE START END      unix seconds

It follows Feishu's documentation and the usual habits: one token, a pause between calls, urllib3's retries for 429 and 5xx,
pages of 100, a failed participant logged and skipped, units cut off by a regular expression, rows replaced by key, so that a
window can be run again. It is a peer of `make bench`: docs/COMPARISON.md says what it loses, and when. Prints the counts as JSON.
"""
import collections
import datetime
import json
import logging
import os
import re
import sqlite3
import sys
import time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

BASE = os.environ["VCQ_BASE_URL"].rstrip("/") + "/open-apis"
# 100 calls a minute; one call at a time, so one pause is enough for all three endpoints.
PAUSE_S = float(os.environ.get("SCRIPT_PAUSE_S", "0.6"))
WEBINAR, AUDIENCE = 8, "3"
SECTIONS = ["network", "audio", "video", "screen_sharing", "cpu_usage"]

log = logging.getLogger("nightly")


class Refused(Exception):
    """Feishu answered with an error code."""


class Feishu:
    def __init__(self):
        self.http = requests.Session()
        retry = Retry(total=5, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504], respect_retry_after_header=True)
        adapter = HTTPAdapter(max_retries=retry)
        self.http.mount("http://", adapter)
        self.http.mount("https://", adapter)
        self.calls = collections.Counter()
        self.last_call = 0.0
        reply = self.http.post(
            f"{BASE}/auth/v3/tenant_access_token/internal",
            json={"app_id": os.environ["VCQ_APP_ID"], "app_secret": os.environ["VCQ_APP_SECRET"]},
            timeout=30,
        ).json()
        if reply.get("code") != 0:
            raise Refused(f"token: {reply}")
        self.http.headers["Authorization"] = f"Bearer {reply['tenant_access_token']}"

    def get(self, endpoint, parameters):
        wait_s = self.last_call + PAUSE_S - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        self.last_call = time.monotonic()
        self.calls[endpoint] += 1
        reply = self.http.get(f"{BASE}/vc/v1/{endpoint}", params=parameters, timeout=30).json()
        if reply.get("code") != 0:
            raise Refused(f"{endpoint}: {reply.get('code')} {reply.get('msg')}")
        return reply["data"]

    def rows(self, endpoint, key, parameters):
        parameters = {**parameters, "page_size": 100}
        while True:
            data = self.get(endpoint, parameters)
            yield from data.get(key) or []
            if not data.get("has_more"):
                return
            parameters["page_token"] = data["page_token"]


def seconds(text):
    """Reads `2022.12.23 11:16:59 (GMT+08:00)`."""
    return int(datetime.datetime.strptime(text.replace("GMT", ""), "%Y.%m.%d %H:%M:%S (%z)").timestamp())


def number(text):
    """`100ms` is 100, `8%` is 8, `720P` is 720; anything else is NULL."""
    found = re.match(r"\s*(-?\d+(?:\.\d+)?)", text or "")
    return float(found.group(1)) if found else None


def flat(item):
    """The metrics of all sections in one row, and the time of the first section that has one."""
    row, when = {}, None
    for section in SECTIONS:
        for name, text in (item.get(section) or {}).items():
            if name == "time":
                when = when or text
            else:
                row[f"{section}_{name}"] = number(text)
    return when, row


def meeting_rows(feishu, meeting):
    """The participants of a meeting, and a list of samples for each that can be requested."""
    window = {
        "meeting_no": meeting["meeting_id"],
        "meeting_start_time": seconds(meeting["meeting_start_time"]),
        "meeting_end_time": seconds(meeting["meeting_end_time"]),
    }
    for role in [None, AUDIENCE] if meeting.get("meeting_subtype") == WEBINAR else [None]:
        listed = {**window, "webinar_user_role": role} if role else window
        for person in feishu.rows("participant_list", "participants", listed):
            if person.get("user_id"):
                who = {"user_id": person["user_id"]}
            elif person.get("meeting_room_id"):
                who = {"room_id": person["meeting_room_id"]}
            else:
                continue
            parameters = {**window, **who, "join_time": seconds(person["join_time"])}
            yield person, parameters


def main():
    database, start, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    connection = sqlite3.connect(database)
    connection.execute(
        "create table if not exists samples (meeting_no text, meeting_start integer, who text, join_time integer,"
        " sample_time text, metrics text, primary key (meeting_no, meeting_start, who, join_time, sample_time))"
    )
    feishu = Feishu()
    counts = collections.Counter()
    asked = {"start_time": start, "end_time": end, "include_external_meetings": "true", "include_webinar": "true"}
    for meeting in feishu.rows("meeting_list", "meeting_list", asked):
        counts["meetings"] += 1
        try:
            people = list(meeting_rows(feishu, meeting))
        except (Refused, requests.RequestException, ValueError, KeyError) as error:
            log.warning("meeting %s skipped: %s", meeting["meeting_id"], error)
            counts["skipped"] += 1
            continue
        for person, parameters in people:
            counts["participants"] += 1
            who = parameters.get("user_id") or parameters["room_id"]
            key = [meeting["meeting_id"], parameters["meeting_start_time"], who, parameters["join_time"]]
            try:
                items = list(feishu.rows("participant_quality_list", "participant_quality_list", parameters))
                rows = [[*key, when, json.dumps(row)] for when, row in map(flat, items)]
            except (Refused, requests.RequestException, ValueError, KeyError) as error:
                log.warning("participant %s of %s skipped: %s", who, meeting["meeting_id"], error)
                counts["skipped"] += 1
                continue
            connection.executemany("insert or replace into samples values (?, ?, ?, ?, ?, ?)", rows)
            connection.commit()
    samples = connection.execute("select count(*) from samples").fetchone()[0]
    connection.close()
    print(json.dumps({**counts, "calls": sum(feishu.calls.values()), "samples": samples}))


if __name__ == "__main__":
    main()
