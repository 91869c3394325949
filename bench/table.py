"""One measured row, and how rows are shown and kept."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """`value` and `against` in `unit`; the ratio is what counts, for it is the same on any machine."""

    name: str
    value: float
    against: float
    unit: str
    against_what: str

    @property
    def ratio(self) -> float:
        """How many times the floor or the peer."""
        return self.value / self.against


def show(rows: list[Row]) -> str:
    """The rows as a table for a terminal."""
    lines = [f"{'name':<24} {'value':>12} {'floor or peer':>14} {'ratio':>7}  against"]
    lines += [
        f"{row.name:<24} {f'{row.value:.2f} {row.unit}':>12} {f'{row.against:.2f} {row.unit}':>14} {row.ratio:>7.2f}"
        f"  {row.against_what}"
        for row in rows
    ]
    return "\n".join(lines)


def keep(rows: list[Row], path: Path) -> None:
    """Write the same rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=1) + "\n")
