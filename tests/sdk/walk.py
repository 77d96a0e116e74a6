"""Walks the whole simulated tenant through a client and prints what it reads, one JSON object a line:

  {"list": "meeting_list", "item": {..}}
  {"list": "participant_list", "meeting": {..}, "item": {..}}
  {"list": "participant_quality_list", "meeting": {..}, "participant": {..}, "code": 0, "items": [..]}

`tests/it/sdk_clients.rs` compares the lines with the tables of a sync. It sets VCQ_BASE_URL, VCQ_APP_ID, VCQ_APP_SECRET, and
the window in VCQ_START and VCQ_END (Unix seconds). walk.mjs and walk.php do the same in their languages.

Run it as: python walk.py sdk|curl
"""

import datetime
import json
import os
import subprocess
import sys
import urllib.parse

BASE_URL = os.environ["VCQ_BASE_URL"]
DAY_S = 86_400
# The smallest allowed, so that most lists have several pages.
PAGE_SIZE = 20
WEBINAR = 8


def sdk():
    """Feishu's Python SDK."""
    import lark_oapi as lark
    from lark_oapi.api.vc import v1

    requests = {
        "meeting_list": v1.GetMeetingListRequest,
        "participant_list": v1.GetParticipantListRequest,
        "participant_quality_list": v1.GetParticipantQualityListRequest,
    }
    client = (
        lark.Client.builder()
        .app_id(os.environ["VCQ_APP_ID"])
        .app_secret(os.environ["VCQ_APP_SECRET"])
        .domain(BASE_URL)
        .log_level(lark.LogLevel.ERROR)
        .build()
    )

    def get(name, params):
        request = requests[name].builder()
        for param, value in params.items():
            getattr(request, param)(value)
        return json.loads(getattr(client.vc.v1, name).get(request.build()).raw.content)

    return get


def curl():
    """curl with the arguments of the examples in Feishu's documentation."""

    def run(*arguments):
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", *arguments]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    body = json.dumps({"app_id": os.environ["VCQ_APP_ID"], "app_secret": os.environ["VCQ_APP_SECRET"]})
    url = f"{BASE_URL}/open-apis/auth/v3/tenant_access_token/internal"
    answer = run("-X", "POST", url, "-H", "Content-Type: application/json; charset=utf-8", "-d", body)
    token = answer["tenant_access_token"]

    def get(name, params):
        url = f"{BASE_URL}/open-apis/vc/v1/{name}?{urllib.parse.urlencode(params)}"
        return run("-X", "GET", url, "-H", f"Authorization: Bearer {token}")

    return get


def walk(get, name, params):
    """The code and all items of a list."""
    key = "participants" if name == "participant_list" else name
    items = []
    while True:
        answer = get(name, {**params, "page_size": PAGE_SIZE})
        if answer["code"]:
            return answer["code"], items
        items += answer["data"].get(key) or []
        if not answer["data"]["has_more"]:
            return 0, items
        params = {**params, "page_token": answer["data"]["page_token"]}


def seconds(text):
    """Reads `2022.12.23 11:16:59 (GMT+08:00)`."""
    return int(datetime.datetime.strptime(text.replace("GMT", ""), "%Y.%m.%d %H:%M:%S (%z)").timestamp())


def show(name, **line):
    print(json.dumps({"list": name, **line}, ensure_ascii=False))


def participants(get, meeting, window):
    """The audience of a webinar is listed by a query of its own."""
    for role in ["0", "3"] if meeting.get("meeting_subtype") == WEBINAR else [None]:
        code, items = walk(get, "participant_list", {**window, "webinar_user_role": role} if role else window)
        assert code == 0, (code, meeting)
        yield from items


def main(get):
    window = {"start_time": os.environ["VCQ_START"], "end_time": os.environ["VCQ_END"]}
    external = {"include_external_meetings": "true", "include_webinar": "true"}
    code, meetings = walk(get, "meeting_list", {**window, **external})
    assert code == 0, code
    for meeting in meetings:
        show("meeting_list", item=meeting)
        start, end = seconds(meeting["meeting_start_time"]), seconds(meeting["meeting_end_time"])
        window = {
            "meeting_start_time": start,
            "meeting_end_time": min(end, start + DAY_S),
            "meeting_no": meeting["meeting_id"],
        }
        for row in participants(get, meeting, window):
            show("participant_list", meeting=meeting, item=row)
            if row.get("user_id"):
                who = {"user_id": row["user_id"]}
            elif row.get("meeting_room_id"):
                who = {"room_id": row["meeting_room_id"]}
            else:
                continue
            query = {**window, **who, "join_time": seconds(row["join_time"])}
            code, items = walk(get, "participant_quality_list", query)
            show("participant_quality_list", meeting=meeting, participant=row, code=code, items=items)


if __name__ == "__main__":
    main({"sdk": sdk, "curl": curl}[sys.argv[1]]())
