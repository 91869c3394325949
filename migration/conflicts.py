"""What stands in the way of making a domain on mailcow, or is to be known before: wanted compared with found. Pure.

What is there already is never changed or deleted, so every difference is a finding for a person.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from .addresses import domain_to_unicode
from .findings import Finding, Severity
from .mailcow.objects import AliasFacts, DomainFacts
from .mailcow.provisioning import NewAlias, NewDomain, NewMailbox
from .mailcow.replies import MailboxFacts

MIB = 1024 * 1024
# Only to tell what is no address at all; `addresses.parse` is the truth about the others.
_ADDRESS = re.compile(r"[!-~]+@[a-z0-9.-]+")


class Kind(StrEnum):
    """What can be made; in this order."""

    DOMAIN = "domain"
    MAILBOX = "mailbox"
    ALIAS = "alias"


@dataclass(frozen=True)
class WantedMailbox:
    """A mailbox of ours. Without a quota of its own (`has_quota`) any quota found there is right."""

    new: NewMailbox
    has_quota: bool = True
    forwards: bool = False


@dataclass(frozen=True)
class Wanted:
    """A domain as it is to be on mailcow."""

    domain: NewDomain
    mailboxes: tuple[WantedMailbox, ...] = ()
    aliases: tuple[NewAlias, ...] = ()


@dataclass(frozen=True)
class Found:
    """A domain as it is on mailcow; None when it is not there."""

    domain: DomainFacts | None = None
    mailboxes: tuple[MailboxFacts, ...] = ()
    aliases: tuple[AliasFacts, ...] = ()
    by_address: dict[str, MailboxFacts] = field(init=False, repr=False, compare=False)
    by_alias: dict[str, AliasFacts] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_address", {row.address.lower(): row for row in self.mailboxes})
        object.__setattr__(self, "by_alias", {row.address.lower(): row for row in self.aliases})


def check(wanted: Wanted, found: Found) -> list[Finding]:
    """Everything to know before the start, what must be mended first at the top."""
    findings = [
        *_about_domain(wanted, found),
        *_limits(wanted, found),
        *_about_mailboxes(wanted, found),
        *_about_aliases(wanted, found),
        *_catch_all(wanted, found),
    ]
    order = list(Severity)
    return sorted(findings, key=lambda finding: (order.index(finding.severity), finding.code, finding.address))


def to_make(wanted: Wanted, found: Found) -> dict[Kind, int]:
    """How many objects are not there yet."""
    return {
        Kind.DOMAIN: int(found.domain is None),
        Kind.MAILBOX: len(_new_mailboxes(wanted, found)),
        Kind.ALIAS: len(_new_aliases(wanted, found)),
    }


# --- One object that is there already --------------------------------------------------------------------------------


def of_domain(wanted: NewDomain, found: DomainFacts) -> list[Finding]:
    """How the domain there differs."""
    if found.name != wanted.name:
        return [Finding(Severity.STOP, "alias_domain", wanted.name, {"target": found.name})]
    findings = []
    if not found.active:
        findings.append(Finding(Severity.LEFT, "domain_inactive", wanted.name))
    if found.backup_mx or found.relays:
        findings.append(Finding(Severity.LEFT, "domain_relays", wanted.name))
    return findings


def of_mailbox(wanted: WantedMailbox, found: MailboxFacts) -> list[Finding]:
    """How the mailbox there differs, the worst first. Its name and what it is used for are its own."""
    address, findings = wanted.new.address, []
    if found.authsource != "mailcow":
        findings.append(Finding(Severity.LEFT, "mailbox_authsource", address))
    if found.active != 1:
        findings.append(Finding(Severity.LEFT, "mailbox_inactive", address))
    if wanted.has_quota and found.quota != wanted.new.quota * MIB:
        there = {"there": found.quota // MIB, "ours": wanted.new.quota}
        findings.append(Finding(Severity.LEFT, "mailbox_quota", address, there))
    return findings


def of_alias(wanted: NewAlias, found: AliasFacts) -> list[Finding]:
    """How the alias there differs, the worst first. The order of its targets means nothing."""
    findings = []
    if set(found.goto) != set(wanted.goto):
        targets = {"there": ", ".join(found.goto), "ours": ", ".join(wanted.goto)}
        findings.append(Finding(Severity.LEFT, "alias_goto", wanted.address, targets))
    if not found.active:
        findings.append(Finding(Severity.LEFT, "alias_inactive", wanted.address))
    if found.address != wanted.address:
        findings.append(Finding(Severity.NOTE, "alias_case", wanted.address, {"there": found.address}))
    return findings


# --- The whole domain ------------------------------------------------------------------------------------------------


def _about_domain(wanted: Wanted, found: Found) -> Iterator[Finding]:
    name = wanted.domain.name
    if found.domain:
        yield from of_domain(wanted.domain, found.domain)
        yield Finding(Severity.NOTE, "domain_exists", name)
    else:
        yield Finding(Severity.NOTE, "domain_new", name)
    if domain_to_unicode(name) != name:
        yield Finding(Severity.NOTE, "idn", name, {"written": domain_to_unicode(name)})


def _limits(wanted: Wanted, found: Found) -> Iterator[Finding]:
    """Whether all that is missing fits into a domain that is there; a new one is made so that it does."""
    there = found.domain
    if there is None or there.name != wanted.domain.name:
        return
    boxes, aliases = _new_mailboxes(wanted, found), _new_aliases(wanted, found)
    needs = sum(box.new.quota for box in boxes)
    for code, need, left in (
        ("mailbox_count", len(boxes), there.max_mailboxes - there.mailboxes),
        ("alias_count", len(aliases), there.max_aliases - there.aliases),
        ("quota_sum", needs, (there.max_quota - there.quota_given) // MIB),
    ):
        if need > left:
            yield Finding(Severity.STOP, code, wanted.domain.name, {"need": need, "left": max(left, 0)})
    largest = there.max_quota_of_mailbox // MIB
    for box in boxes:
        if box.new.quota > largest:
            sizes = {"ours": box.new.quota, "most": largest}
            yield Finding(Severity.LEFT, "mailbox_too_big", box.new.address, sizes)


def _about_mailboxes(wanted: Wanted, found: Found) -> Iterator[Finding]:
    there = 0
    for box in wanted.mailboxes:
        facts = found.by_address.get(box.new.address)
        if facts:
            there += 1
            yield from of_mailbox(box, facts)
        elif box.new.address in found.by_alias:
            goto = ", ".join(found.by_alias[box.new.address].goto)
            yield Finding(Severity.LEFT, "mailbox_is_alias", box.new.address, {"goto": goto})
    ours = {box.new.address for box in wanted.mailboxes}
    quota = next((box.new.quota for box in wanted.mailboxes if not box.has_quota), 0)
    yield from _counted(wanted, "mailboxes_exist", there)
    yield from _counted(wanted, "mailboxes_only_there", len(set(found.by_address) - ours))
    yield from _counted(wanted, "no_quota", sum(not box.has_quota for box in wanted.mailboxes), quota=quota)
    yield from _counted(wanted, "unlimited", sum(row.quota == 0 for row in found.mailboxes))
    yield from _counted(wanted, "forwards", sum(box.forwards for box in wanted.mailboxes))


def _about_aliases(wanted: Wanted, found: Found) -> Iterator[Finding]:
    boxes = {box.new.address for box in wanted.mailboxes}
    known = boxes | {alias.address for alias in wanted.aliases} | set(found.by_address) | set(found.by_alias)
    there = 0
    for alias in wanted.aliases:
        facts = found.by_alias.get(alias.address)
        if alias.address in boxes:
            yield Finding(Severity.LEFT, "alias_is_own_mailbox", alias.address)
        elif alias.address in found.by_address:
            yield Finding(Severity.LEFT, "alias_is_mailbox", alias.address)
        elif facts:
            there += 1
            yield from of_alias(alias, facts)
        elif alias.goto == (alias.address,):
            yield Finding(Severity.LEFT, "alias_to_itself", alias.address)
        for target in alias.goto:
            if not _ADDRESS.fullmatch(target):
                yield Finding(Severity.LEFT, "goto_invalid", alias.address, {"target": target})
            elif target.endswith(f"@{wanted.domain.name}") and target not in known:
                yield Finding(Severity.NOTE, "goto_nowhere", alias.address, {"target": target})
    ours = {alias.address for alias in wanted.aliases}
    yield from _counted(wanted, "aliases_exist", there)
    yield from _counted(wanted, "aliases_only_there", len(set(found.by_alias) - ours))


def _catch_all(wanted: Wanted, found: Found) -> Iterator[Finding]:
    address = f"@{wanted.domain.name}"
    ours = next((alias for alias in wanted.aliases if alias.address == address), None)
    facts = found.by_alias.get(address)
    if ours and not facts:
        yield Finding(Severity.NOTE, "catch_all", address, {"goto": ", ".join(ours.goto)})
    elif facts and not ours:
        yield Finding(Severity.NOTE, "catch_all_there", address, {"goto": ", ".join(facts.goto)})


def _counted(wanted: Wanted, code: str, n: int, **detail: int) -> Iterable[Finding]:
    return [Finding(Severity.NOTE, code, wanted.domain.name, {"n": n, **detail})] if n else []


def _new_mailboxes(wanted: Wanted, found: Found) -> list[WantedMailbox]:
    taken = set(found.by_address) | set(found.by_alias)
    return [box for box in wanted.mailboxes if box.new.address not in taken]


def _new_aliases(wanted: Wanted, found: Found) -> list[NewAlias]:
    taken = set(found.by_address) | set(found.by_alias) | {box.new.address for box in wanted.mailboxes}
    return [alias for alias in wanted.aliases if alias.address not in taken and alias.goto != (alias.address,)]
