"""`make bench`: measure, print the table, write build/bench.json."""

from pathlib import Path

from . import journey, table

if __name__ == "__main__":
    measured = [journey.cpu()]
    print(table.show(measured))
    table.keep(measured, Path("build/bench.json"))
