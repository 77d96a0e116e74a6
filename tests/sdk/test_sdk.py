"""Tests the simulator with Feishu's official SDK.

The Rust tests use our own client and could share its mistakes. This test uses Feishu's client and models: a field that the
models do not have, or have with another type, fails.

Needs a running simulator without rate limits, and:
  VCQ_BASE_URL, VCQ_APP_ID, VCQ_APP_SECRET   its address and credentials
  VCQ_SIM_EXPECT                             its contents, as the JSON of `Tenant::totals` with `start` and `end`
Run it with: python -m unittest tests/sdk/test_sdk.py
"""

import datetime
import json
import os
import re
import typing
import unittest

import lark_oapi as lark
from lark_oapi.api.admin.v1 import ListAdminUserStatRequest
from lark_oapi.api.admin.v1.model.admin_user_stat import AdminUserStat
from lark_oapi.api.vc.v1 import (
    GetDailyReportRequest,
    GetMeetingListRequest,
    GetParticipantListRequest,
    GetParticipantQualityListRequest,
    GetResourceReservationListRequest,
    ListAlertRequest,
    ListRoomLevelRequest,
    ListRoomRequest,
)
from lark_oapi.api.vc.v1.model.alert import Alert
from lark_oapi.api.vc.v1.model.meeting_info import MeetingInfo
from lark_oapi.api.vc.v1.model.participant import Participant
from lark_oapi.api.vc.v1.model.participant_quality import ParticipantQuality
from lark_oapi.api.vc.v1.model.report import Report
from lark_oapi.api.vc.v1.model.room import Room
from lark_oapi.api.vc.v1.model.room_level import RoomLevel
from lark_oapi.api.vc.v1.model.room_meeting_reservation import RoomMeetingReservation
from lark_oapi.core.exception import ObtainAccessTokenException

EXPECT = json.loads(os.environ["VCQ_SIM_EXPECT"])
DAY_S = 86_400
# Refusals of the quality list that mean "no quality data for this participant".
NOT_SUPPORTED, NO_DEVICE = 121002, 126010


def client(app_id=None):
    return (
        lark.Client.builder()
        .app_id(app_id or os.environ["VCQ_APP_ID"])
        .app_secret(os.environ["VCQ_APP_SECRET"])
        .domain(os.environ["VCQ_BASE_URL"])
        .log_level(lark.LogLevel.ERROR)
        .build()
    )


def seconds(text):
    """Reads `2022.12.23 11:16:59 (GMT+08:00)`."""
    when = datetime.datetime.strptime(text.replace("GMT", ""), "%Y.%m.%d %H:%M:%S (%z)")
    return int(when.timestamp())


def walk(get, build, key):
    """All rows of a list, page by page."""
    rows, token = [], None
    while True:
        request = build()
        if token:
            request.page_token(token)
        response = get(request.build())
        if not response.success():
            return response.code, rows
        rows += getattr(response.data, key) or []
        raw = json.loads(response.raw.content)["data"]
        assert raw["has_more"] == bool(raw.get("page_token")), raw.get("page_token")
        if not response.data.has_more:
            return 0, rows
        token = response.data.page_token


# Texts on the wire that the models call int: times, counts and ids.
INT_AS_TEXT = re.compile(r"_time$|_id$|_count$|_duration$|\.date$")
# Keys on the wire that the models spell otherwise.
SPELLINGS = {"notifyMethods": "notify_methods", "alertRule": "alert_rule"}


def check_model(test, model, raw, where):
    """Checks that every field is in Feishu's model, with the same type."""
    for field, value in raw.items():
        field = SPELLINGS.get(field, field)
        test.assertIn(field, model._types, f"{where}.{field} is not a field of Feishu's model")
        known = model._types[field]
        if typing.get_origin(known) is list:
            (known,) = typing.get_args(known)
        for one in value if isinstance(value, list) else [value]:
            check_value(test, known, one, f"{where}.{field}")


def check_value(test, known, value, where):
    if isinstance(value, dict):
        check_model(test, known, value, where)
    elif known is int and isinstance(value, str):
        test.assertRegex(where, INT_AS_TEXT)
        test.assertRegex(value, re.compile(r"^-?\d*$"), where)
    else:
        test.assertIsInstance(value, known, where)
        if known is int:
            test.assertNotIsInstance(value, bool, where)


class Simulator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.vc = client().vc.v1

    def meetings(self, page_size=100):
        def build():
            return (
                GetMeetingListRequest.builder()
                .start_time(EXPECT["start"])
                .end_time(EXPECT["end"])
                .include_external_meetings(True)
                .include_webinar(True)
                .page_size(page_size)
            )

        code, meetings = walk(self.vc.meeting_list.get, build, "meeting_list")
        self.assertEqual(code, 0)
        return meetings

    def window(self, builder, meeting):
        start, end = seconds(meeting.meeting_start_time), seconds(meeting.meeting_end_time)
        return (
            builder.meeting_start_time(start)
            .meeting_end_time(min(end, start + DAY_S))
            .meeting_no(meeting.meeting_id)
            .page_size(100)
        )

    def participants(self, meeting):
        rows = []
        for role in ["0", "3"] if meeting.meeting_subtype == 8 else [None]:

            def build():
                request = self.window(GetParticipantListRequest.builder(), meeting)
                return request.webinar_user_role(role) if role else request

            code, found = walk(self.vc.participant_list.get, build, "participants")
            self.assertEqual(code, 0, meeting.meeting_id)
            rows += found
        return rows

    def quality(self, meeting, row):
        def build():
            request = self.window(GetParticipantQualityListRequest.builder(), meeting).join_time(seconds(row.join_time))
            return request.user_id(row.user_id) if row.user_id else request.room_id(row.meeting_room_id)

        return walk(self.vc.participant_quality_list.get, build, "participant_quality_list")

    def test_a_walk_finds_everything_in_the_tenant(self):
        meetings = self.meetings()
        participants = samples = without_id = empty = 0
        refused = {NOT_SUPPORTED: 0, NO_DEVICE: 0}
        for meeting in meetings:
            for row in self.participants(meeting):
                participants += 1
                if not (row.user_id or row.meeting_room_id):
                    without_id += 1
                    continue
                code, items = self.quality(meeting, row)
                samples += len(items)
                if code:
                    refused[code] += 1
                elif not items:
                    empty += 1
        self.assertEqual(len(meetings), EXPECT["meetings"])
        self.assertEqual(participants, EXPECT["participants"])
        self.assertEqual(samples, EXPECT["samples"])
        self.assertEqual(without_id, EXPECT["participants_without_id"])
        self.assertEqual(empty, EXPECT["participants_empty"])
        self.assertEqual(refused[NO_DEVICE], EXPECT["participants_foreign"])
        self.assertEqual(refused[NOT_SUPPORTED], EXPECT["participants_unsupported"])

    def test_small_pages_have_the_same_meetings(self):
        by_twenty = [meeting.meeting_instance_id for meeting in self.meetings(page_size=20)]
        self.assertEqual(by_twenty, [meeting.meeting_instance_id for meeting in self.meetings()])
        self.assertEqual(len(by_twenty), len(set(by_twenty)))

    def test_every_field_is_in_feishus_models(self):
        request = GetMeetingListRequest.builder().start_time(EXPECT["start"]).end_time(EXPECT["end"]).build()
        raw = json.loads(self.vc.meeting_list.get(request).raw.content)["data"]["meeting_list"]
        for meeting in raw:
            check_model(self, MeetingInfo, meeting, "meeting")
        checked = 0
        for meeting in self.meetings()[:12]:
            request = self.window(GetParticipantListRequest.builder(), meeting).build()
            raw = json.loads(self.vc.participant_list.get(request).raw.content)["data"].get("participants", [])
            for row in raw:
                check_model(self, Participant, row, "participant")
            for row in self.participants(meeting):
                if not row.user_id:
                    continue
                request = self.window(GetParticipantQualityListRequest.builder(), meeting)
                request = request.join_time(seconds(row.join_time)).user_id(row.user_id).build()
                response = self.vc.participant_quality_list.get(request)
                if response.success():
                    for item in json.loads(response.raw.content)["data"]["participant_quality_list"]:
                        check_model(self, ParticipantQuality, item, "quality")
                        self.assertRegex(item["network"]["network_delay"], re.compile(r"^\d+ms$"))
                        checked += 1
        self.assertGreater(checked, 100)

    def test_refusals_reach_the_sdk_as_codes(self):
        def request_meetings(**params):
            request = GetMeetingListRequest.builder()
            # Setting a parameter twice would send both values, so the defaults are merged here.
            for name, value in {"start_time": EXPECT["start"], "end_time": EXPECT["end"], **params}.items():
                getattr(request, name)(value)
            return self.vc.meeting_list.get(request.build())

        page = request_meetings(page_size=10)
        self.assertFalse(page.success())
        self.assertEqual(page.code, 99992402)
        error = json.loads(page.raw.content)["error"]
        self.assertEqual(error["field_violations"][0]["field"], "page_size")
        self.assertEqual(page.get_log_id(), error["log_id"])
        self.assertEqual(request_meetings(meeting_no="123456789", room_id="omm_x").code, 126008)
        self.assertEqual(request_meetings(meeting_no="12").code, 126004)
        self.assertEqual(request_meetings(start_time=1).code, 126006)

    def raw_rows(self, get, build, key, model):
        """All rows as the SDK reads them, after a check of the first page's JSON."""
        raw = json.loads(get(build().build()).raw.content)["data"][key]
        self.assertTrue(raw, key)
        for row in raw:
            check_model(self, model, row, key)
        code, rows = walk(get, build, key)
        self.assertEqual(code, 0, key)
        return rows

    def test_rooms_and_levels_are_in_feishus_models(self):
        build = lambda: ListRoomRequest.builder().page_size(7)
        rooms = self.raw_rows(self.vc.room.list, build, "rooms", Room)
        self.assertEqual(len({room.room_id for room in rooms}), len(rooms))
        self.assertTrue(any(room.device[0].name for room in rooms))
        buildings = self.raw_rows(self.vc.room_level.list, ListRoomLevelRequest.builder, "items", RoomLevel)
        names = {level.room_level_id: level.name for level in buildings}
        self.assertTrue(all(room.path[0] in names and room.capacity > 0 for room in rooms))

    def test_alerts_and_reservations_are_in_feishus_models(self):
        start, end = EXPECT["start"], EXPECT["end"]
        build = lambda: ListAlertRequest.builder().start_time(start).end_time(end).page_size(2)
        for alert in self.raw_rows(self.vc.alert.list, build, "items", Alert):
            self.assertTrue(start <= int(alert.alert_time) <= end)
        rooms = self.vc.room.list(ListRoomRequest.builder().page_size(100).build()).data.rooms
        reserved = 0
        for day in range(start, end, DAY_S):

            def build():
                request = GetResourceReservationListRequest.builder().room_level_id("0").need_topic(True).page_size(20)
                request = request.room_ids([room.room_id for room in rooms])
                return request.start_time(day).end_time(day + DAY_S - 1)

            code, rows = walk(self.vc.resource_reservation_list.get, build, "room_reservation_list")
            self.assertEqual(code, 0)
            reserved += len(rows)
            raw = json.loads(self.vc.resource_reservation_list.get(build().build()).raw.content)["data"]
            for row in raw["room_reservation_list"]:
                check_model(self, RoomMeetingReservation, row, "reservation")
        self.assertGreater(reserved, 0)

    def test_feishus_own_counts_agree_with_the_lists(self):
        request = GetDailyReportRequest.builder().start_time(EXPECT["start"]).end_time(EXPECT["end"]).build()
        answer = self.vc.report.get_daily(request)
        check_model(self, Report, json.loads(answer.raw.content)["data"]["meeting_report"], "report")
        self.assertEqual(int(answer.data.meeting_report.total_meeting_count), EXPECT["meetings"])
        first = datetime.datetime.fromtimestamp(EXPECT["start"], datetime.timezone(datetime.timedelta(hours=8))).date()
        last = first + datetime.timedelta(days=(EXPECT["end"] - EXPECT["start"]) // DAY_S - 1)
        build = lambda: ListAdminUserStatRequest.builder().start_date(str(first)).end_date(str(last)).page_size(60)
        stats = self.raw_rows(client().admin.v1.admin_user_stat.list, build, "items", AdminUserStat)
        joined = set()
        for meeting in self.meetings():
            joined |= {(meeting.meeting_instance_id, row.user_id) for row in self.participants(meeting) if row.email}
        self.assertEqual(sum(row.vc_num for row in stats), len(joined))

    def test_an_unknown_app_gets_no_token(self):
        # The SDK caches tokens by app id, so a wrong secret for the right app would not be sent.
        with self.assertRaises(ObtainAccessTokenException) as refused:
            client(app_id="cli_nobody").vc.v1.meeting_list.get(GetMeetingListRequest.builder().build())
        self.assertEqual(refused.exception.code, 99991543)


if __name__ == "__main__":
    unittest.main()
