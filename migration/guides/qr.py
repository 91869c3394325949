"""A QR code as the path of an inline SVG: nothing to load, nothing the Content-Security-Policy would stop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from qrcode.constants import ERROR_CORRECT_M  # type: ignore[import-untyped]
from qrcode.main import QRCode  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Code:
    """What the template draws: black bars one unit high, in a box of `size` units with its quiet zone."""

    link: str
    size: int
    path: str


def code(link: str) -> Code:
    """The QR code (ISO/IEC 18004, medium correction, four units of quiet zone) that leads to a link."""
    maker = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    maker.add_data(link)
    rows = maker.get_matrix()
    return Code(link, len(rows), "".join(bar for y, row in enumerate(rows) for bar in _bars(y, row)))


def _bars(y: int, row: Sequence[bool | None]) -> Iterator[str]:
    x = 0
    for dark, squares in groupby(row):
        length = len(list(squares))
        if dark:
            yield f"M{x} {y}h{length}v1h-{length}z"
        x += length
