"""Events and their seals are only ever added: triggers of the database refuse the rest, whoever asks.

What retention has to erase may go, and only once it is old enough; a foreign key may become empty, because what it
names is gone. A day of grace is left for clocks that differ. SQLite forgets its triggers when a table is made anew, as
Django does to alter one: a schema migration that alters one of these tables calls `guard` again afterwards.
"""

from typing import Any

_TABLES = ("migration_event", "migration_seal")

_OLDER_ON_SQLITE = "OLD.at < datetime('now', '-{days} days')"
_OLDER_ON_POSTGRES = "OLD.at < now() - interval '{days} days'"

# {same} compares two values of which either may be NULL; {older_n} asks for the age; {network} for a cut address.
_EVENT = """
    NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
    AND (NEW.domain_id {same} OLD.domain_id OR NEW.domain_id IS NULL)
    AND (NEW.mailbox_id {same} OLD.mailbox_id OR NEW.mailbox_id IS NULL)
    AND (NEW.ip {same} OLD.ip OR NEW.ip IS NULL AND {older_29} OR {network} AND {older_6})
    AND (NEW.actor = OLD.actor OR OLD.actor LIKE 'staff:%' AND NEW.actor = 'staff' AND {older_364})
    AND (NEW.detail = OLD.detail OR NEW.detail = '{{}}' AND {older_364})
"""
_SEAL = """
    NEW.number = OLD.number AND NEW.event = OLD.event AND NEW.sealed_at = OLD.sealed_at
    AND NEW.domain {same} OLD.domain AND NEW.digests = OLD.digests
    AND NEW.link = OLD.link AND NEW.mac = OLD.mac
    AND (NEW.mailbox {same} OLD.mailbox OR NEW.mailbox IS NULL)
    AND (NEW.address_salt {same} OLD.address_salt OR NEW.address_salt IS NULL)
    AND (NEW.network_salt {same} OLD.network_salt OR NEW.network_salt IS NULL)
    AND (NEW.salt {same} OLD.salt OR NEW.salt IS NULL)
"""
_ALLOWED = dict(zip(_TABLES, (_EVENT, _SEAL), strict=True))

_CUT_ON_SQLITE = "(NEW.ip LIKE '%.0' OR NEW.ip LIKE '%::')"
_CUT_ON_POSTGRES = (
    "NEW.ip = host(network(set_masklen(NEW.ip, CASE family(NEW.ip) WHEN 4 THEN 24 ELSE 48 END)))::inet"
    " AND (family(NEW.ip) < family(OLD.ip) OR NEW.ip = "
    "host(network(set_masklen(OLD.ip, CASE family(OLD.ip) WHEN 4 THEN 24 ELSE 48 END)))::inet)"
)


def guard(_apps: Any, schema_editor: Any) -> None:
    """Put the triggers in place, anew if they are there. To be called by a schema migration (RunPython)."""
    unguard(_apps, schema_editor)
    for statement in _statements(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def unguard(_apps: Any, schema_editor: Any) -> None:
    """Take the triggers away."""
    on_table = schema_editor.connection.vendor == "postgresql"
    for table in _TABLES:
        for event in ("update", "delete"):
            place = f" ON {table}" if on_table else ""
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{event}_refused{place}")


def _statements(vendor: str) -> list[str]:
    made = [_REFUSE_ON_POSTGRES] if vendor == "postgresql" else []
    for table, condition in _ALLOWED.items():
        allowed = _filled_in(condition, vendor)
        for event, when in (("update", f"WHEN (({allowed}) IS NOT TRUE)"), ("delete", "")):
            head = f"CREATE TRIGGER {table}_{event}_refused BEFORE {event.upper()} ON {table} FOR EACH ROW {when}"
            if vendor == "postgresql":
                made.append(f"{head} EXECUTE FUNCTION migration_append_only()")
            else:
                made.append(f"{head} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
    return made


def _filled_in(condition: str, vendor: str) -> str:
    postgres = vendor == "postgresql"
    older = _OLDER_ON_POSTGRES if postgres else _OLDER_ON_SQLITE
    ages = {f"older_{days}": older.format(days=days) for days in (6, 29, 364)}
    same, network = ("IS NOT DISTINCT FROM", _CUT_ON_POSTGRES) if postgres else ("IS", _CUT_ON_SQLITE)
    return condition.format(same=same, network=network, **ages)


_REFUSE_ON_POSTGRES = """
    CREATE OR REPLACE FUNCTION migration_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
