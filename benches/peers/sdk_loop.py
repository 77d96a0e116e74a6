"""Feishu's official Python SDK in a loop: meetings, their participants, the quality of each.

    python sdk_loop.py START END PAGE_SIZE [THREADS [MAX_SECONDS]]     unix seconds; PAGE_SIZE 0: the default of the SDK

Written like the SDK's examples: a failed call is counted and skipped, because the SDK does not retry it. Prints the result as
JSON.
"""
import collections
import concurrent.futures
import datetime
import json
import os
import sys
import time

import lark_oapi as lark
from lark_oapi.api.vc.v1 import GetMeetingListRequest, GetParticipantListRequest, GetParticipantQualityListRequest

THROTTLED = 99991400
WEBINAR, AUDIENCE = 8, "3"


def seconds(text):
    """Reads `2022.12.23 11:16:59 (GMT+08:00)`."""
    when = datetime.datetime.strptime(text.replace("GMT", ""), "%Y.%m.%d %H:%M:%S (%z)")
    return int(when.timestamp())


class Loop:
    def __init__(self, page_size, max_seconds):
        client = (
            lark.Client.builder()
            .app_id(os.environ["VCQ_APP_ID"])
            .app_secret(os.environ["VCQ_APP_SECRET"])
            .domain(os.environ["VCQ_BASE_URL"])
            .log_level(lark.LogLevel.CRITICAL)
            .build()
        )
        self.lists = client.vc.v1
        self.page_size = page_size
        self.until = time.monotonic() + max_seconds
        self.calls = collections.Counter()
        self.codes = collections.Counter()
        self.ended_early = False

    def walk(self, name, get, build, key):
        """The rows of all pages, up to a refusal if there is one."""
        rows, token = [], None
        while True:
            if time.monotonic() > self.until:
                self.ended_early = True
                return rows
            request = build()
            if self.page_size:
                request.page_size(self.page_size)
            if token:
                request.page_token(token)
            self.calls[name] += 1
            response = get(request.build())
            if not response.success():
                self.codes[response.code] += 1
                return rows
            rows += getattr(response.data, key) or []
            if not response.data.has_more:
                return rows
            token = response.data.page_token

    def meetings(self, start, end):
        def build():
            request = GetMeetingListRequest.builder().start_time(start).end_time(end)
            return request.include_external_meetings(True).include_webinar(True)

        return self.walk("meeting_list", self.lists.meeting_list.get, build, "meeting_list")

    def walk_meeting(self, meeting):
        start, end = seconds(meeting.meeting_start_time), seconds(meeting.meeting_end_time)

        def window(request):
            return request.meeting_start_time(start).meeting_end_time(end).meeting_no(meeting.meeting_id)

        def listed(role):
            request = window(GetParticipantListRequest.builder())
            return request.webinar_user_role(role) if role else request

        found = []
        # A webinar's audience is a separate list.
        for role in [None, AUDIENCE] if meeting.meeting_subtype == WEBINAR else [None]:
            found += self.walk(
                "participant_list", self.lists.participant_list.get, lambda: listed(role), "participants"
            )
        samples = 0
        for row in found:
            if not (row.user_id or row.meeting_room_id):
                continue

            def build():
                request = window(GetParticipantQualityListRequest.builder()).join_time(seconds(row.join_time))
                return request.user_id(row.user_id) if row.user_id else request.room_id(row.meeting_room_id)

            samples += len(
                self.walk(
                    "participant_quality_list",
                    self.lists.participant_quality_list.get,
                    build,
                    "participant_quality_list",
                )
            )
        return len(found), samples


def main():
    start, end, page_size = map(int, sys.argv[1:4])
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    loop = Loop(page_size, float(sys.argv[5]) if len(sys.argv) > 5 else 1e9)
    began = time.monotonic()
    meetings = loop.meetings(start, end)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(loop.walk_meeting, meetings))
    print(
        json.dumps(
            {
                "elapsed_s": time.monotonic() - began,
                "calls": dict(loop.calls),
                "calls_total": sum(loop.calls.values()),
                "throttled": loop.codes.get(THROTTLED, 0),
                "other_refusals": sum(loop.codes.values()) - loop.codes.get(THROTTLED, 0),
                "meetings": len(meetings),
                "participants": sum(participants for participants, _ in found),
                "samples": sum(samples for _, samples in found),
                "ended_early": loop.ended_early,
            }
        )
    )


if __name__ == "__main__":
    main()
