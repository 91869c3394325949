"""What each role may do: one table, as data. `docs/security.md` shows it to people; a test compares the two.

No table of the database holds permissions, so nobody can be given more than his role has.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from django.apps import apps

from accounts.models import User

READONLY, SUPPORT, OPERATOR, ADMIN = User.Role.READONLY, User.Role.SUPPORT, User.Role.OPERATOR, User.Role.ADMIN


@dataclass(frozen=True)
class Right:
    """One line of the table: who may do `what`. A `*` stands for any part of the name of a model's permission."""

    what: str
    permissions: tuple[str, ...]
    roles: frozenset[str]


def _right(what: str, permissions: str, *roles: str) -> Right:
    return Right(what, tuple(permissions.split()), frozenset(roles))


RIGHTS = (
    _right(
        "See domains, plans and how far they are, in numbers",
        "migration.view_domain migration.view_customer migration.view_target",
        *User.Role.values,
    ),
    _right("See mailboxes, with their addresses, and all that happened", "migration.view_*", READONLY, SUPPORT, ADMIN),
    _right(
        "Invite, remind, reopen, revoke, retry a push, lift a ban, give a code, print letters",
        "migration.invite_mailbox",
        SUPPORT,
        ADMIN,
    ),
    _right("Close a case with what was done", "migration.answer_case", SUPPORT, ADMIN),
    _right("Write notes, close follow-ups", "migration.add_note", SUPPORT, ADMIN),
    _right("Take a list out as a file", "migration.export_mailbox", SUPPORT, ADMIN),
    _right("Close the breaker, confirm a restore, see queues, keys, retention", "migration.operate", OPERATOR, ADMIN),
    _right("Read the audit trail of everybody", "migration.audit", OPERATOR, ADMIN),
    _right("Change everything else in the move: plans, domains, imports, wordings", "migration.*", ADMIN),
    _right("Look after the staff: roles, sign-ins, sessions", "accounts.*_user", ADMIN),
)


@lru_cache
def permissions_of(role: str) -> frozenset[str]:
    """Everything a role may do, as Django's permission names; nothing for what is no role."""
    patterns = [pattern for right in RIGHTS if role in right.roles for pattern in right.permissions]
    plain = {pattern for pattern in patterns if "*" not in pattern}
    known = _of_models("migration") | _of_models("accounts")
    return frozenset(plain | {name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns)})


def _of_models(app: str) -> set[str]:
    models = [model._meta for model in apps.get_app_config(app).get_models()]
    default = {f"{app}.{action}_{meta.model_name}" for meta in models for action in meta.default_permissions}
    return default | {f"{app}.{codename}" for meta in models for codename, _name in meta.permissions}
