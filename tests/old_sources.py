"""Take an empty database from before old servers were rows to now: `python -m tests.old_sources` tells what it finds.

Reads {domain: [host, port]} as JSON, fills the columns of then, and prints what is said after the update, after the way
back, and in the newest schema.
"""

import json
import sys
from typing import Any

import django

BEFORE, AFTER = "0023_plans", "0024_sources_and_bounces"


def main() -> None:
    """Migrate there and back."""
    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    def to(*targets: tuple[str, str]) -> Any:
        executor = MigrationExecutor(connection)
        wanted: list[tuple[str, str | None]] = list(targets or executor.loader.graph.leaf_nodes())
        return executor.migrate(wanted).apps

    before = to(("migration", BEFORE))
    customer = before.get_model("migration", "Customer").objects.create(name="Kunde", contact_email="eva@kunde.example")
    for name, (host, port) in json.load(sys.stdin).items():
        before.get_model("migration", "Domain").objects.create(
            name=name, customer=customer, source_smtp_host=host, source_smtp_port=port
        )
    after = to(("migration", AFTER))
    told = {"after": _sources(after), "domains": _named(after)}
    back = to(("migration", BEFORE)).get_model("migration", "Domain").objects
    told["back"] = {row[0]: row[1:] for row in back.values_list("name", "source_smtp_host", "source_smtp_port")}
    told["now"] = _named(to())
    sys.stdout.write(json.dumps(told))


def _named(apps: Any) -> dict[str, Any]:
    rows = apps.get_model("migration", "Domain").objects.values_list("name", "source__smtp_host", "source__smtp_port")
    return {row[0]: row[1:] for row in rows}


def _sources(apps: Any) -> list[Any]:
    rows = apps.get_model("migration", "Source").objects.order_by("pk")
    return list(rows.values_list("name", "security", "smtp_user", "pace"))


if __name__ == "__main__":
    main()
