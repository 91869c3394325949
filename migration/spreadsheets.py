"""Tables for spreadsheet programs: CSV as Excel opens it, with no cell that it would take for a formula.

ASVS 5.0, 1.2.10; https://owasp.org/www-community/attacks/CSV_Injection: a cell that begins with one of FORMULA gets an
apostrophe before it. Semicolons and the byte order mark are what Excel expects in German.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import HttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


class _Echo:
    def write(self, text: str) -> str:
        """Give back what csv.writer would write."""
        return text


def lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The rows as lines of a CSV file."""
    writer = csv.writer(_Echo(), delimiter=";")
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: str) -> str:
    """The cell as a spreadsheet shows it and never computes it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell


def download(rows: Iterable[Sequence[str]], file_name: str) -> HttpResponse:
    """The rows as a file to be saved; `file_name` is ours and needs no quoting."""
    answer = HttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    answer["Cache-Control"] = "no-store"
    return answer
