"""Moments on the database's clock as text for plain statements: the workers' own clocks may differ."""

from datetime import timedelta

from django.db import connection

_NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
_LATER = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '+{seconds} seconds')",
    "postgresql": "STATEMENT_TIMESTAMP() + INTERVAL '{seconds} seconds'",
}


def now() -> str:
    """The moment at which the statement runs; percent signs are doubled, as a statement with values wants them."""
    return _NOW[connection.vendor]


def later(wait: timedelta) -> str:
    """So many whole seconds after that moment."""
    return _LATER[connection.vendor].format(seconds=int(wait.total_seconds()))
