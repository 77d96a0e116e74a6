"""The notes of a release are the section of its version in CHANGELOG.md, and no other."""

import sys
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT / "packaging"))

from release_notes import section  # noqa: E402

CHANGELOG = """# Changelog

## [Unreleased]

- next

## [1.10.0] - 2026-11-27

### Added

- a `## [1.1.0]` in a line

## [1.1.0]

- first

[1.1.0]: https://example.com
"""


class ReleaseNotes(unittest.TestCase):
    def test_the_section_ends_where_the_next_begins(self):
        self.assertEqual(section(CHANGELOG, "v1.10.0"), "### Added\n\n- a `## [1.1.0]` in a line\n")
        self.assertEqual(section(CHANGELOG, "1.1.0"), "- first\n", "the last one, without the links")

    def test_a_version_without_a_section_names_those_that_have_one(self):
        with self.assertRaisesRegex(SystemExit, r"no section \[1\.1\]; it has Unreleased, 1\.10\.0, 1\.1\.0"):
            section(CHANGELOG, "v1.1")
        with self.assertRaisesRegex(SystemExit, "is empty"):
            section("## [1.0.0]\n\n## [0.9.0]\n\n- x\n", "v1.0.0")

    def test_the_changelog_of_the_project_has_the_section_of_its_first_version(self):
        changelog = (PROJECT / "CHANGELOG.md").read_text()
        notes = section(changelog, "v0.1.0")
        self.assertTrue(notes.startswith("### Added") and "## [" not in notes)
        self.assertNotIn(notes.splitlines()[2], section(changelog, "Unreleased"))


if __name__ == "__main__":
    unittest.main()
