"""The triggers that count mailboxes by state, blocked pushes and touched mails, for PostgreSQL and for SQLite.

They stand in the database like an index, so nothing that writes can forget them. On PostgreSQL each change adds a row
to DomainCount and waits for nobody: two owners of one domain never meet in a row. On SQLite, where one writes at a
time, the one row of the domain is changed in place.

They are taken away before schema migrations and put back afterwards: SQLite loses them with a table that is made anew,
and neither database alters a table that a trigger names. All is counted anew then, within the same transaction.
"""

from typing import Any

from django.db import connections, transaction

from migration.models import Mailbox, Mailing

STATES: tuple[str, ...] = tuple(Mailbox.State.values)
TABLE = "migration_domaincount"

_PREFIX = "count_for_domain_"
_COLUMNS = ", ".join(STATES)
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(Mailing.WITH_SECRET))
_FAILED = "({row}.bounced_at IS NOT NULL OR {row}.state IN ('failed', 'unclear'))"
_MAIL_TURNED = f"NEW.kind IN ({_KINDS}) AND {_FAILED.format(row='NEW')} <> {_FAILED.format(row='OLD')}"
_PUSH_TURNED = "(NEW.state = 'blocked') <> (OLD.state = 'blocked')"
_MOVED = "OLD.state <> NEW.state OR OLD.domain_id <> NEW.domain_id"
_DOMAIN_OF = "(SELECT domain_id FROM migration_mailbox WHERE id = {row}.mailbox_id)"


def undelivered(domain: str) -> str:
    """SQL that counts mailboxes of `domain`, an expression, whose newest first-login mail did not arrive.

    One with a blocked push is left out, so that both numbers together are the mailboxes that need attention.
    """
    return f"""
        SELECT count(*) FROM migration_mailing mail JOIN migration_mailbox box ON box.id = mail.mailbox_id
        WHERE mail.domain_id = {domain} AND mail.kind IN ({_KINDS}) AND {_FAILED.format(row="mail")}
            AND box.state IN ('invited', 'signed_in')
            AND NOT EXISTS (SELECT 1 FROM migration_mailing newer WHERE newer.mailbox_id = mail.mailbox_id
                AND newer.id > mail.id AND newer.kind IN ({_KINDS}))
            AND NOT EXISTS (SELECT 1 FROM migration_push push WHERE push.mailbox_id = mail.mailbox_id
                AND push.state = 'blocked')
    """  # noqa: S608 - our own names


def put_up(*, using: str = "default", **_signal: Any) -> None:
    """Put the triggers up and count what is there, unless they stand already; after each `migrate`."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names() or standing(using):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        # Creating a trigger keeps writers off its table until the end: nobody changes what is being counted.
        for table, name in _found(cursor, connection.vendor):
            _drop(cursor, connection.vendor, table, name)
        for statement in _STATEMENTS[connection.vendor]:
            cursor.execute(statement)
        recount(cursor)


def take_down(*, using: str = "default", plan: Any = (), **_signal: Any) -> None:
    """Take the triggers down before schema migrations, if there are any to do."""
    connection = connections[using]
    if not plan:
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for table, name in _found(cursor, connection.vendor):
            _drop(cursor, connection.vendor, table, name)


def standing(using: str = "default") -> bool:
    """Whether every trigger is there."""
    connection = connections[using]
    wanted = sum("CREATE TRIGGER" in statement for statement in _STATEMENTS[connection.vendor])
    with connection.cursor() as cursor:
        return len(_found(cursor, connection.vendor)) == wanted


def recount(cursor: Any) -> None:
    """Throw all numbers away and count the rows themselves."""
    sums = ", ".join(f"COALESCE(sum(CASE WHEN box.state = '{state}' THEN 1 ELSE 0 END), 0)" for state in STATES)
    cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608 - our own names
    cursor.execute(
        f"""
        INSERT INTO {TABLE} (domain_id, is_base, {_COLUMNS}, blocked, undelivered)
        SELECT domain.id, TRUE, {sums}, COALESCE(max(stuck.number), 0), ({undelivered("domain.id")})
        FROM migration_domain domain
            LEFT JOIN migration_mailbox box ON box.domain_id = domain.id
            LEFT JOIN (SELECT held.domain_id, count(*) AS number FROM migration_push push
                JOIN migration_mailbox held ON held.id = push.mailbox_id
                WHERE push.state = 'blocked' GROUP BY held.domain_id) stuck ON stuck.domain_id = domain.id
        GROUP BY domain.id
        """  # noqa: S608 - our own names
    )


def _found(cursor: Any, vendor: str) -> list[tuple[str, str]]:
    if vendor == "postgresql":
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND starts_with(tgname, %s)",
            [_PREFIX],
        )
    else:
        cursor.execute("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' AND instr(name, %s)", [_PREFIX])
    return [(table, name) for table, name in cursor.fetchall()]


def _drop(cursor: Any, vendor: str, table: str, name: str) -> None:
    cursor.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if vendor == "postgresql" else ""))


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _function(name: str, body: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {_PREFIX}{name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body} RETURN NULL; END $$
    """


def _trigger(name: str, when: str, function: str = "") -> str:
    return f"CREATE TRIGGER {_PREFIX}{name} AFTER {when} EXECUTE FUNCTION {_PREFIX}{function or name}()"


def _whole(rows: str, sign: str) -> str:
    numbers = ", ".join(f"{sign}count(*) FILTER (WHERE state = '{state}')" for state in STATES)
    return (
        f"INSERT INTO {TABLE} (domain_id, is_base, {_COLUMNS}) "  # noqa: S608 - our own names
        f"SELECT domain_id, FALSE, {numbers} FROM {rows} GROUP BY domain_id;"
    )


_IS, _WAS = ([f"({row}.state = '{state}')::int" for state in STATES] for row in ("NEW", "OLD"))
_BLOCKED_NOW = "(SELECT count(*) FROM migration_push WHERE mailbox_id = NEW.id AND state = 'blocked')"
_ONE_MOVED = f"""
    IF OLD.domain_id = NEW.domain_id THEN
        INSERT INTO {TABLE} (domain_id, is_base, {_COLUMNS})
        VALUES (NEW.domain_id, FALSE, {", ".join(f"{now} - {then}" for now, then in zip(_IS, _WAS, strict=True))});
    ELSE
        INSERT INTO {TABLE} (domain_id, is_base, {_COLUMNS}, blocked)
        VALUES (NEW.domain_id, FALSE, {", ".join(_IS)}, {_BLOCKED_NOW}),
            (OLD.domain_id, FALSE, {", ".join(f"-{then}" for then in _WAS)}, -{_BLOCKED_NOW});
    END IF;
"""  # noqa: S608 - our own names
_PUSH = f"""
    INSERT INTO {TABLE} (domain_id, is_base, blocked)
    SELECT domain_id, FALSE, COALESCE((NEW.state = 'blocked')::int, 0) - COALESCE((OLD.state = 'blocked')::int, 0)
    FROM migration_mailbox WHERE id = COALESCE(NEW.mailbox_id, OLD.mailbox_id);
"""  # noqa: S608 - our own names
_TOUCH = f"INSERT INTO {TABLE} (domain_id, is_base) VALUES (COALESCE(NEW.domain_id, OLD.domain_id), FALSE);"  # noqa: S608
_EACH = "FOR EACH ROW WHEN"

_POSTGRES = (
    _function("in", _whole("fresh", "")),
    _function("out", _whole("gone", "-")),
    _function("moved", _ONE_MOVED),
    _function("push", _PUSH),
    _function("mail", _TOUCH),
    _function(
        "born",
        f"INSERT INTO {TABLE} (domain_id, is_base, undelivered) VALUES (NEW.id, TRUE, 0) ON CONFLICT DO NOTHING;",  # noqa: S608
    ),
    _function("nothing", f"DELETE FROM {TABLE} WHERE domain_id = OLD.id;"),  # noqa: S608 - our own names
    _trigger("in", "INSERT ON migration_mailbox REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT"),
    _trigger("out", "DELETE ON migration_mailbox REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"),
    _trigger("moved", f"UPDATE OF state, domain_id ON migration_mailbox {_EACH} ({_MOVED})"),
    _trigger("push_in", f"INSERT ON migration_push {_EACH} (NEW.state = 'blocked')", "push"),
    _trigger("push", f"UPDATE OF state ON migration_push {_EACH} ({_PUSH_TURNED})"),
    _trigger("push_out", f"DELETE ON migration_push {_EACH} (OLD.state = 'blocked')", "push"),
    _trigger("mail_in", f"INSERT ON migration_mailing {_EACH} (NEW.kind IN ({_KINDS}))", "mail"),
    _trigger("mail", f"UPDATE OF state, bounced_at ON migration_mailing {_EACH} ({_MAIL_TURNED})"),
    _trigger("mail_out", f"DELETE ON migration_mailing {_EACH} (OLD.kind IN ({_KINDS}))", "mail"),
    _trigger("born", "INSERT ON migration_domain FOR EACH ROW"),
    _trigger("nothing", "DELETE ON migration_domain FOR EACH ROW"),
)

# --- SQLite -----------------------------------------------------------------------------------------------------------


def _on_sqlite(name: str, when: str, body: str) -> str:
    return f"CREATE TRIGGER {_PREFIX}{name} AFTER {when} BEGIN {body} END"


def _changed(row: str, sign: str, more: str = "") -> str:
    numbers = ", ".join(f"{state} = {state} {sign} ({row}.state = '{state}')" for state in STATES)
    return f"UPDATE {TABLE} SET {numbers}{more} WHERE domain_id = {row}.domain_id;"  # noqa: S608 - our own names


def _blocked(row: str, sign: str) -> str:
    return (
        f"UPDATE {TABLE} SET blocked = blocked {sign} ({row}.state = 'blocked'), undelivered = NULL "  # noqa: S608
        f"WHERE domain_id = {_DOMAIN_OF.format(row=row)};"
    )


def _touched(row: str) -> str:
    where = f"domain_id = {row}.domain_id AND undelivered IS NOT NULL"
    return f"UPDATE {TABLE} SET undelivered = NULL WHERE {where};"  # noqa: S608 - our own names


_TAKEN_ALONG = "".join(
    f"UPDATE {TABLE} SET blocked = blocked {sign} {_BLOCKED_NOW} WHERE domain_id = {row}.domain_id;"  # noqa: S608
    for row, sign in (("OLD", "-"), ("NEW", "+"))
)
_SQLITE = (
    _on_sqlite(
        "born",
        "INSERT ON migration_domain",
        f"INSERT INTO {TABLE} (domain_id, is_base, undelivered) VALUES (NEW.id, TRUE, 0);",  # noqa: S608
    ),
    _on_sqlite(
        "nothing",
        "DELETE ON migration_domain",
        f"DELETE FROM {TABLE} WHERE domain_id = OLD.id;",  # noqa: S608 - our own names
    ),
    _on_sqlite("in", "INSERT ON migration_mailbox", _changed("NEW", "+")),
    _on_sqlite("out", "DELETE ON migration_mailbox", _changed("OLD", "-", ", undelivered = NULL")),
    _on_sqlite(
        "moved",
        f"UPDATE OF state, domain_id ON migration_mailbox WHEN {_MOVED}",
        _changed("OLD", "-", ", undelivered = NULL") + _changed("NEW", "+", ", undelivered = NULL"),
    ),
    _on_sqlite(
        "taken_along", "UPDATE OF domain_id ON migration_mailbox WHEN OLD.domain_id <> NEW.domain_id", _TAKEN_ALONG
    ),
    _on_sqlite("push_in", "INSERT ON migration_push WHEN NEW.state = 'blocked'", _blocked("NEW", "+")),
    _on_sqlite(
        "push", f"UPDATE OF state ON migration_push WHEN {_PUSH_TURNED}", _blocked("NEW", "+") + _blocked("OLD", "-")
    ),
    _on_sqlite("push_out", "DELETE ON migration_push WHEN OLD.state = 'blocked'", _blocked("OLD", "-")),
    _on_sqlite("mail_in", f"INSERT ON migration_mailing WHEN NEW.kind IN ({_KINDS})", _touched("NEW")),
    _on_sqlite("mail", f"UPDATE OF state, bounced_at ON migration_mailing WHEN {_MAIL_TURNED}", _touched("NEW")),
    _on_sqlite("mail_out", f"DELETE ON migration_mailing WHEN OLD.kind IN ({_KINDS})", _touched("OLD")),
)

_STATEMENTS = {"postgresql": _POSTGRES, "sqlite": _SQLITE}
