"""The Chinese version of docs/BENCHMARKS.md, derived from the English one with chinese.tsv.

A line of text, a cell of a table or a title is looked up with `#` in place of its numbers, which keep their order
unless the Chinese form has `#1`, `#2`. Names of programs, reports and columns are not translated.

    python3 benches/compare/chinese.py          writes docs/zh-CN/BENCHMARKS.md
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
# A number, a version or a date; also a commit, a processor, and a list of reports.
NUMBER = re.compile(
    r"(?<![\w.])\d+\.\d+\.\d+-[a-z]+|(?<![\w.])[+-]?\d(?:[\d,.-]*\d)?(?!\w)|\bv\d[\d.]*\d|(?<=commit )\w+|(?<=cores of )[^,]+|(?<=; not )[a-z-]+(?:, [a-z-]+)*"
)
# Cells that are names or numbers with units: nothing to translate.
NAMES = re.compile(r"[\w./ -]*")


def pairs():
    lines = (ROOT / "benches/compare/chinese.tsv").read_text().splitlines()
    # A line without a tab is a comment.
    return dict(line.split("\t") for line in lines if "\t" in line)


def key(text):
    """The text with `#` for each number, and the numbers."""
    numbers = []

    def keep(match):
        numbers.append(match.group())
        return "#"

    # A number in a code span is part of a name.
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else NUMBER.sub(keep, part) for part in parts), numbers


def filled(template, numbers):
    rest = iter(numbers)
    # Positions are hexadecimal digits: a text with ten numbers has #A.
    return re.sub(r"#([1-9A-F])?", lambda match: numbers[int(match[1], 16) - 1] if match[1] else next(rest), template)


class Translator:
    def __init__(self):
        self.known, self.missing = pairs(), []

    def text(self, text, is_name=False):
        template, numbers = key(text)
        if template in self.known:
            return filled(self.known[template], numbers)
        if re.search("[A-Za-z]{2}", text) and not is_name:
            self.missing.append(template)
        return text

    def row(self, line):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        return "| " + " | ".join(self.text(cell, is_name=NAMES.fullmatch(cell) is not None) for cell in cells) + " |"

    def paragraph(self, lines):
        if lines[0].startswith("|---"):
            return lines
        text = " ".join(lines)
        if text.startswith("# ") or text.startswith("## "):
            mark, title = text.split(" ", 1)
            return [f"{mark} {self.text(title)}"]
        if text.startswith("*") and text.endswith("*"):
            return [f"*{self.text(text.strip('*'))}*"]
        return [self.text(text)]

    def document(self, text):
        done = []
        for block in text.strip().split("\n\n"):
            lines = block.splitlines()
            if lines[0].startswith("|"):
                done.append("\n".join(line if line.startswith("|---") else self.row(line) for line in lines))
            else:
                done.append("\n".join(self.paragraph(lines)))
        return "\n\n".join(done) + "\n"


def write():
    translator = Translator()
    text = translator.document((ROOT / "docs/BENCHMARKS.md").read_text())
    if translator.missing:
        raise ValueError("chinese.tsv lacks: " + "\n".join(dict.fromkeys(translator.missing)))
    (ROOT / "docs/zh-CN/BENCHMARKS.md").write_text(text)


if __name__ == "__main__":
    try:
        write()
    except ValueError as lacking:
        sys.exit(str(lacking))
