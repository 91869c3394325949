"""A large move by plain SQL, to see what does not grow with it: `python -m bench.growth seed [DOMAINS] [PER_DOMAIN]`.

Works on the PostgreSQL of PORTAL_DATABASE_URL, as a superuser, with empty tables. Every third customer has umlauts;
states, mails that came back, blocked pushes, plans and events are spread as in a move that is half done. `bench.pages`
measures on it.
"""

import os
import sys
import time

SMALL = (10, 100)
LARGE = (10_000, 100)

_CUSTOMERS = """
    INSERT INTO migration_customer (name, contact_name, contact_email, postal_address, language, folded, created_at)
    SELECT name, 'Eva Kontakt', 'kontakt' || n || '@kunde.example', '', 'de', replace(lower(name), 'ä', 'a'), now()
    FROM (SELECT n, (ARRAY['Bäckerei Nord ', 'Tischlerei ', 'Verein '])[n % 3 + 1] || n AS name
        FROM generate_series(1, greatest(<domains> / 4, 1)) n) named
"""
_DOMAINS = """
    INSERT INTO migration_domain (name, customer_id, folded, deadline, announce_on, invite_on, cut_over_on, ends_on,
        planned_at, paused_at, paused_by, paused_reason, created_at)
    SELECT 'firma' || n || '.example', (SELECT min(id) FROM migration_customer) + n % greatest(<domains> / 4, 1),
        'firma' || n || '.example', current_date + n % 60 - 12, current_date + n % 60 - 40, current_date + n % 60 - 30,
        current_date + n % 60 + 5, current_date + n % 60 + 40, now(), CASE WHEN n % 50 = 0 THEN now() END, '', '', now()
    FROM generate_series(1, <domains>) n
"""
# Domains with a low number are further: so completion differs from one to the next.
_MAILBOXES = """
    INSERT INTO migration_mailbox (domain_id, local_part, name, kind, kind_reason, responsible, language, quota_mib,
        forwards, legacy_scheme, state, version, epoch, created_at)
    SELECT d.id, (ARRAY['anna', 'bernd', 'clara', 'david', 'eva'])[n % 5 + 1] || '.' || n,
        (ARRAY['Anna Gruber', 'Bernd Moser', 'Clara Huber', 'David Wagner', 'Eva Pichler'])[n % 5 + 1], 'personal', '',
        '', '', 1024, '', '', (ARRAY['imported', 'imported', 'invited', 'invited', 'signed_in', 'password_set',
            'active', 'active', 'active', 'moved', 'excluded'])[1 + (n * 7 + d.id * 3) % 11], 1, 0, now()
    FROM migration_domain d, generate_series(1, <boxes>) n ORDER BY d.id, n
"""
_ANNOUNCEMENTS = """
    INSERT INTO migration_mailing (kind, domain_id, recipient, language, subject, text, state, is_bulk, due_at,
        attempts, lease, error, created_at, sent_at, plain_sender, bounce_code, bounce_text)
    SELECT 'announcement', id, 'kontakt@kunde.example', 'de', 'Umzug', 'Guten Tag', 'sent', FALSE, now(), 1, '', '',
        now(), now() - interval '20 days', FALSE, '', '' FROM migration_domain
"""
_INVITATIONS = """
    INSERT INTO migration_mailing (kind, domain_id, mailbox_id, recipient, language, subject, text, state, is_bulk,
        due_at, attempts, lease, error, created_at, sent_at, plain_sender, bounced_at, bounce_code, bounce_text)
    SELECT 'invitation', m.domain_id, m.id, m.local_part || '@firma.example', 'de', '', '',
        CASE WHEN m.id % 97 = 0 THEN 'failed' ELSE 'sent' END, TRUE, now(), 1, '', '', now(),
        now() - interval '15 days', FALSE, CASE WHEN m.id % 89 = 0 THEN now() END, '', ''
    FROM migration_mailbox m WHERE m.state NOT IN ('imported', 'excluded') AND m.id % 2 = 0
"""
_PUSHES = """
    INSERT INTO migration_push (mailbox_id, version, submission, kept_old, payload, state, reason, due_at, attempts,
        lease, created_at, delivered_at, confirmed_update, from_backup)
    SELECT id, 1, gen_random_uuid(), FALSE, CASE WHEN state = 'password_set' THEN '\\x00'::bytea END,
        CASE WHEN state <> 'password_set' THEN 'delivered' WHEN id % 40 = 0 THEN 'blocked' ELSE 'waiting' END,
        CASE WHEN state = 'password_set' THEN 'quota' ELSE '' END, now() + interval '1 hour', 1, '',
        now() - interval '5 days', CASE WHEN state <> 'password_set' THEN now() - interval '5 days' END, '', FALSE
    FROM migration_mailbox WHERE state IN ('password_set', 'active', 'moved') AND id % 2 = 0
"""
_EVENTS = """
    INSERT INTO migration_event (at, actor, action, domain_id, mailbox_id, detail)
    SELECT now() - (id % 30) * interval '1 day', 'worker', 'active', domain_id, id, '{}'::jsonb
    FROM migration_mailbox WHERE state IN ('active', 'moved') AND id % 2 = 0
    UNION ALL SELECT now() - interval '40 days', 'command:import_mailboxes', 'imported', domain_id, id, '{}'
    FROM migration_mailbox WHERE id % 4 = 0
    UNION ALL SELECT now() - interval '39 days', 'staff:admin@provider.example', 'announced', id, NULL, '{}'
    FROM migration_domain
"""
_STEPS = (_CUSTOMERS, _DOMAINS, _MAILBOXES, _ANNOUNCEMENTS, _INVITATIONS, _PUSHES, _EVENTS)


def seed(domains: int, per_domain: int) -> None:
    """Fill the empty tables and let the database look at them."""
    from django.db import connection, transaction  # noqa: PLC0415 - after django.setup()

    from migration.counting import days, tally  # noqa: PLC0415

    with connection.cursor() as cursor:
        with transaction.atomic():
            # Millions of foreign keys that are right by the way they are made need no look each; nor does counting.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for step in _STEPS:
                cursor.execute(step.replace("<domains>", str(domains)).replace("<boxes>", str(per_domain)))
        cursor.execute("ANALYZE")
        tally.rebuild()
        days.count()
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.core.management import call_command

    begun = time.perf_counter()
    call_command("migrate", interactive=False, verbosity=0)
    seed(*(int(number) for number in sys.argv[2:] or map(str, LARGE)))
    print(f"seeded in {time.perf_counter() - begun:.0f} s")
