"""The times of calls, out of a store's raw log: when each answered page was asked for, and how long the answer took."""
import datetime
import io
import re

import zstandard

HEAD = re.compile(
    rb'^\{"record":"page","endpoint":"(\w+)".*?"asked_utc":"([^"]+)","elapsed_ms":(\d+),"http_status":(\d+)', re.DOTALL
)


def asked(store):
    """(endpoint, unix seconds, seconds until the answer) of every page, in the order of asking."""
    found = set()
    for path in sorted((store / "raw").rglob("*.jsonl.zst")):
        with path.open("rb") as packed:
            frames = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
            for line in io.BufferedReader(frames, 1 << 20):
                head = HEAD.match(line[:4096])
                if head:
                    # A page of meetings is filed under each of its dates, so the same call can stand there twice.
                    found.add((head[1].decode(), unix(head[2].decode()), int(head[3]) / 1000))
    return sorted(found, key=lambda call: call[1])


def unix(text):
    """RFC 3339 in UTC, with up to nine digits of a second."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return seconds + float(f"0.{fraction or 0}")
