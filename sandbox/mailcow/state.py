"""What the stand-in remembers: domains, mailboxes, aliases, the password policy."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
PROTOCOLS = ("imap", "pop3", "smtp", "sieve", "eas", "dav")


def now() -> str:
    """Local time without zone, as mailcow shows it."""
    return datetime.now().strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ005  (mailcow's own habit)


def new_attributes() -> dict[str, str | None]:
    """The `attributes` of a mailbox that nobody has touched."""
    return {
        "force_pw_update": "0",
        "force_tfa": "0",
        "tls_enforce_in": "0",
        "tls_enforce_out": "0",
        "sogo_access": "1",
        **{f"{protocol}_access": "1" for protocol in PROTOCOLS},
        "relayhost": "0",
        "passwd_update": now(),
        "mailbox_format": "maildir:",
        "quarantine_notification": "hourly",
        "quarantine_category": "reject",
        "attribute_hash": "",
    }


@dataclass
class Mailbox:
    """One row of mailcow's table `mailbox`; sizes in bytes, `logins` in Unix seconds by service."""

    address: str
    password: str
    name: str = ""
    quota: int = 0
    active: int = 1
    authsource: str = "mailcow"
    attributes: dict[str, str | None] = field(default_factory=new_attributes)
    custom_attributes: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    sender_acl: list[str] = field(default_factory=list)
    rate_limit: dict[str, str] | None = None
    logins: dict[str, int] = field(default_factory=dict)
    quota_used: int = 0
    messages: int = 0
    has_quota_row: bool = True
    created: str = field(default_factory=now)
    modified: str | None = None

    def __post_init__(self) -> None:
        self.modified = self.modified or self.created

    @property
    def local_part(self) -> str:
        """What stands left of the @."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands right of the @."""
        return self.address.rpartition("@")[2]


@dataclass
class Domain:
    """One row of mailcow's table `domain`; sizes in bytes, `mailboxes` and `aliases` are allowed numbers."""

    name: str
    description: str = ""
    mailboxes: int = 10
    aliases: int = 400
    default_quota: int = 3072 * MIB
    max_quota: int = 10240 * MIB
    quota: int = 10240 * MIB
    active: int = 1
    backupmx: int = 0
    gal: int = 1
    relay_all_recipients: int = 0
    relay_unknown_only: int = 0
    rate_limit: dict[str, str] | None = None
    tags: list[str] = field(default_factory=list)
    created: str = field(default_factory=now)
    modified: str | None = None


@dataclass
class Alias:
    """One row of mailcow's table `alias`; `goto` is a list with commas."""

    id: int
    address: str
    goto: str
    active: int = 0
    sogo_visible: int = 0
    internal: int = 0
    public_comment: str | None = None
    private_comment: str | None = None
    created: str = field(default_factory=now)
    modified: str | None = None

    @property
    def domain(self) -> str:
        """What stands right of the @."""
        return self.address.rpartition("@")[2]


@dataclass
class State:
    """Everything, by its name in the API."""

    version: str = "2026-07a"
    hostname: str = "mail.mailcow.example"
    domains: dict[str, Domain] = field(default_factory=dict)
    alias_domains: dict[str, str] = field(default_factory=dict)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    aliases: dict[int, Alias] = field(default_factory=dict)
    policy: dict[str, str] = field(
        default_factory=lambda: {
            "length": "6",
            "chars": "0",
            "special_chars": "0",
            "lowerupper": "0",
            "numbers": "0",
        }
    )
    next_alias_id: int = 1
    bans: dict[str, int] = field(default_factory=dict)
    """Banned networks and until when, in Unix seconds."""
    denied: list[str] = field(default_factory=list)
    unban_queue: dict[str, int] = field(default_factory=dict)
    ban_settings_overwritten: bool = False

    def mailboxes_of(self, domain: str) -> list[Mailbox]:
        """The mailboxes of a domain."""
        return [mailbox for mailbox in self.mailboxes.values() if mailbox.domain == domain]

    def aliases_of(self, domain: str) -> list[Alias]:
        """The aliases of a domain."""
        return [alias for alias in self.aliases.values() if alias.domain == domain]

    def alias_at(self, address: str) -> Alias | None:
        """The alias with this address."""
        return next((alias for alias in self.aliases.values() if alias.address == address), None)

    def quota_left(self, mailbox: Mailbox) -> int:
        """Bytes the mailbox may have at most (`max_new_quota`)."""
        domain = self.domains.get(mailbox.domain)
        if domain is None:
            return 0
        if domain.quota >= domain.max_quota * domain.mailboxes:
            return domain.max_quota  # whatever the others have; saves adding up large domains
        others = sum(other.quota for other in self.mailboxes_of(domain.name)) - mailbox.quota
        return max(0, min(domain.max_quota, domain.quota - others))

    def save(self, path: Path) -> None:
        """Replace the file as a whole; only its owner may read it, since it holds hashes."""
        draft = path.with_suffix(path.suffix + ".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> State:
        """The state in the file, or a new one when there is no file."""
        if not path.exists():
            return cls()
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        data["domains"] = {name: Domain(**row) for name, row in data["domains"].items()}
        data["mailboxes"] = {name: Mailbox(**row) for name, row in data["mailboxes"].items()}
        data["aliases"] = {int(number): Alias(**row) for number, row in data["aliases"].items()}
        return cls(**data)
