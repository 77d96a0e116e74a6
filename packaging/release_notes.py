#!/usr/bin/env python3
"""The section of one version in CHANGELOG.md, for the notes of its release.

    release_notes.py v0.2.0 [CHANGELOG.md]
"""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def section(changelog, tag):
    """The text below the heading of the version, without the heading; an error if there is none."""
    version = tag.removeprefix("v")
    heading = re.compile(rf"^## \[{re.escape(version)}\].*\n", re.MULTILINE)
    found = heading.search(changelog)
    if not found:
        known = re.findall(r"^## \[(.*?)\]", changelog, re.MULTILINE)
        raise SystemExit(f"CHANGELOG.md has no section [{version}]; it has {', '.join(known)}")
    # Links to versions are at the end of the file.
    text = re.split(r"^(?:## |\[[^\]]+\]: )", changelog[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not text:
        raise SystemExit(f"the section [{version}] of CHANGELOG.md is empty")
    return text + "\n"


if __name__ == "__main__":
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else CHANGELOG
    sys.stdout.write(section(path.read_text(), sys.argv[1]))
