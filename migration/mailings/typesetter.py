"""The program that lays out letters: JSON on standard input, PDF on standard output. It knows nothing of the portal."""

import sys
from pathlib import Path

import typst


def main() -> None:
    """Only the fonts that come with Typst are used, so that letters look the same on every machine."""
    letters = sys.stdin.buffer.read().decode()
    page = Path(__file__).with_name("letter.typ")
    made = typst.compile(str(page), ignore_system_fonts=True, format="pdf", sys_inputs={"letters": letters})
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
