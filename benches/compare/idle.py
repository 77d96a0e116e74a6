"""Times in which endpoints are idle although work for them is known, from the raw log.

An endpoint is idle if a call could be made and none was made for longer than two slots of the limiter. A call can be made once
a response names it: the next page of a walk after the page before it, a participant list after the first page of meetings with
that meeting, a participant after the last page of its meeting's list. One endpoint may wait for another (participant lists are
not requested far ahead of quality); two idle at once mean that the rate limit is not used.
"""
import re

MEETINGS, LISTS, QUALITY = "meeting_list", "participant_list", "participant_quality_list"
# The parameters that identify a walk.
UNIT = ("meeting_no", "meeting_start_time", "meeting_end_time", "webinar_user_role", "user_id", "room_id", "join_time")
MEETING_ID = re.compile(rb'"meeting_id":"([^"]*)"')


def backlog(calls):
    """(endpoint, known, requested) for each call: when it could have been made, and when it was."""
    calls = sorted(calls, key=lambda call: call.at)
    answered, listed, seen = {}, {}, {}
    rows = []
    for call in calls:
        unit = (call.endpoint, *(call.request.get(name) for name in UNIT))
        number = call.request.get("meeting_no")
        if unit in answered:
            known = answered[unit]
        elif call.endpoint == LISTS:
            known = seen.get(number)
        elif call.endpoint == QUALITY:
            known = listed.get((number, call.request["meeting_start_time"]))
        else:
            known = None
        if known is not None:
            rows.append((call.endpoint, min(known, call.at), call.at))
        answered[unit] = call.at + call.took
        if call.endpoint == MEETINGS:
            for found in MEETING_ID.findall(call.line):
                seen.setdefault(found.decode(), call.at + call.took)
        if call.endpoint == LISTS:
            listed[number, call.request["meeting_start_time"]] = call.at + call.took
    return rows


def idle(rows, calls, slot_s):
    """The idle times of each endpoint: a list of (from, to)."""
    found = {}
    for endpoint in (MEETINGS, LISTS, QUALITY):
        edges = sorted([(known, 1) for name, known, _ in rows if name == endpoint] + [(at, -1) for name, _, at in rows if name == endpoint])
        requested = sorted(call.at for call in calls if call.endpoint == endpoint)
        spans, open_calls, since = [], 0, None
        for at, step in edges:
            open_calls += step
            if open_calls > 0 and since is None:
                since = at
            elif open_calls == 0 and since is not None:
                spans.append((since, at))
                since = None
        times = []
        for begin, end in spans:
            # Each call, and the start of the work, makes the endpoint busy for two slots.
            busy = [begin, *(at for at in requested if begin - 2 * slot_s < at < end)]
            for at, following in zip(busy, [*busy[1:], end]):
                if following > at + 2 * slot_s:
                    times.append((at + 2 * slot_s, following))
        found[endpoint] = times
    return found


def two_idle_s(found):
    """Seconds in which at least two endpoints are idle."""
    edges = sorted(edge for times in found.values() for begin, end in times for edge in [(begin, 1), (end, -1)])
    total, count, before = 0.0, 0, 0.0
    for at, step in edges:
        if count >= 2:
            total += at - before
        count, before = count + step, at
    return total


def two_idle_pct(calls, slot_s):
    """Share of the time between the first and the last call, in percent."""
    first, last = min(call.at for call in calls), max(call.at for call in calls)
    return 100 * two_idle_s(idle(backlog(calls), calls, slot_s)) / (last - first)


def self_test():
    class Call:
        def __init__(self, endpoint, at, took=0.3, line=b"", **request):
            self.endpoint, self.at, self.took, self.line, self.request = endpoint, at, took, line, request

    meeting = {"meeting_no": "1", "meeting_start_time": "7"}
    calls = [
        Call(MEETINGS, 0, line=b'{"meeting_id":"1"}'),
        Call(MEETINGS, 0.3),
        Call(LISTS, 1.3, **meeting),
        Call(QUALITY, 1.7, user_id="a", **meeting),
        Call(QUALITY, 2.0, user_id="a", **meeting),
        Call(MEETINGS, 1.6),
    ]
    rows = backlog(calls)
    assert (LISTS, 0.3, 1.3) in rows and (QUALITY, 1.6, 1.7) in rows and (QUALITY, 2.0, 2.0) in rows, rows
    # The third page of meetings is known from 0.6, the participant list from 0.3.
    found = idle(rows, calls, 0.01)
    assert [round(end - begin, 2) for begin, end in found[MEETINGS]] == [0.98], found
    assert round(two_idle_s(found), 2) == 0.68, found
