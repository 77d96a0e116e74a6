"""The calls of a store, from its raw log: when each was made, and how long the response took."""
import dataclasses
import datetime
import io
import json
import re

import zstandard

HEAD = re.compile(
    rb'^\{"record":"(?:page|refusal)","endpoint":"(\w+)","request":(\{.*?\}),"asked_utc":"([^"]+)","elapsed_ms":(\d+),"http_status":(\d+)',
    re.DOTALL,
)


@dataclasses.dataclass
class Call:
    endpoint: str
    # Unix seconds.
    at: float
    # Seconds until the response; 0 for a refusal, whose time is not recorded.
    took: float
    request: dict
    # The whole record of a page of meetings; empty for the others, which are many and long.
    line: bytes


def calls(store):
    """Every page and every refusal, in the order of the requests."""
    found = {}
    for path in sorted((store / "raw").rglob("*.jsonl.zst")):
        with path.open("rb") as packed:
            frames = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
            for line in io.BufferedReader(frames, 1 << 20):
                head = HEAD.match(line[:4096])
                if head:
                    endpoint = head[1].decode()
                    call = Call(endpoint, unix(head[3].decode()), int(head[4]) / 1000, json.loads(head[2]), line if endpoint == "meeting_list" else b"")
                    # A page of meetings is stored under each of its dates, so the same call can occur twice.
                    found[endpoint, call.at, head[2]] = call
    return sorted(found.values(), key=lambda call: call.at)


def unix(text):
    """Unix seconds of an RFC 3339 time in UTC with up to nine fractional digits."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return seconds + float(f"0.{fraction or 0}")
