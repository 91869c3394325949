"""Tables for spreadsheet programs, of any length in little memory, with no cell that is taken for a formula.

CSV as Excel opens it: ASVS 5.0, 1.2.10; https://owasp.org/www-community/attacks/CSV_Injection: a cell that begins with
one of FORMULA gets an apostrophe before it. Semicolons and the byte order mark are what Excel expects in German. XLSX:
all cells are strings, which are never computed; a sheet that is full goes on in the next.
"""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO

import xlsxwriter  # type: ignore[import-untyped]
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
# https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3: rows of a sheet, characters of a cell
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STRINGS_ONLY = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
# One write to the client for so many rows.
_ROWS_A_PIECE = 200


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


def streamed(rows: Iterable[Sequence[str]], file_name: str) -> StreamingHttpResponse:
    """The same, sent while it is read: for tables of any length."""
    answer = StreamingHttpResponse(_pieces(lines(rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def workbook(head: Sequence[str], rows: Iterable[Sequence[str]], file_name: str) -> FileResponse:
    """Head and rows as an XLSX file to be saved. Until it is sent it lies in a file without a name, then nowhere."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response, or here
    try:
        write_workbook(file, head, rows)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    answer = FileResponse(file, as_attachment=True, filename=file_name, content_type=_XLSX)
    answer["Cache-Control"] = "no-store"
    return answer


def write_workbook(
    file: BinaryIO, head: Sequence[str], rows: Iterable[Sequence[str]], *, sheet_rows: int = SHEET_ROWS
) -> None:
    """Write an XLSX file row by row; each sheet has the head and holds so many rows in all."""
    rows = iter(rows)
    with tempfile.TemporaryDirectory() as folder:
        book = xlsxwriter.Workbook(file, _STRINGS_ONLY | {"constant_memory": True, "tmpdir": folder})
        bold = book.add_format({"bold": True})
        more: Iterable[Sequence[str]] = islice(rows, 1)
        is_first = True
        while (begun := list(more)) or is_first:
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 1)
            sheet.set_column(0, len(head) - 1, 20)
            for column, cell in enumerate(head):
                sheet.write_string(0, column, cell, bold)
            for number, row in enumerate(chain(begun, islice(rows, sheet_rows - 1 - len(begun))), start=1):
                for column, cell in enumerate(row):
                    if cell:
                        sheet.write_string(number, column, cell[:CELL_CHARACTERS])
            more, is_first = islice(rows, 1), False
        book.close()


def _pieces(texts: Iterator[str]) -> Iterator[str]:
    while piece := "".join(islice(texts, _ROWS_A_PIECE)):
        yield piece
