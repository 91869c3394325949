"""One record: what is wanted, what was found, and how the two agree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .words import FAILURES, SENTENCES


class Verdict(StrEnum):
    """How a record stands to what is wanted, the worst first. Only a match is good."""

    CONFLICT = "conflict"
    MISSING = "missing"
    UNKNOWN = "unknown"  # nobody answered, or nobody can tell
    MATCH = "match"


VERDICTS: dict[str, str | Promise] = {
    Verdict.CONFLICT: _("conflict"),
    Verdict.MISSING: _("missing"),
    Verdict.UNKNOWN: _("unknown"),
    Verdict.MATCH: _("as wanted"),
}


@dataclass(frozen=True)
class Wanted:
    """What the provider wants of a domain.

    `mx`: hosts that take its mail. `spf_include`: the name whose SPF record lists them; empty: the MX hosts themselves.
    `dkim_key`: base64 of the public key, empty when nobody told. `client_host`: what autoconfig and autodiscover point
    to. `mail_host`: what mail programs connect to. `source_hosts`: names of the old server.
    """

    mx: tuple[str, ...]
    client_host: str
    mail_host: str
    spf_include: str = ""
    dkim_selector: str = "dkim"
    dkim_key: str = ""
    source_hosts: tuple[str, ...] = ()
    well_known: bool = True


@dataclass(frozen=True)
class Line:
    """One record, judged. `detail` fills the gaps of the sentence of `code`.

    `wanted` and `found` are values as a zone file has them. `foreign`: those of the found that are to be deleted.
    `ttl`: seconds others may remember what was found. What is not `needed` may be missing or unknown without harm.
    """

    kind: str
    name: str
    record: str
    verdict: Verdict
    code: str
    wanted: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    detail: dict[str, str | int] = field(default_factory=dict)
    ttl: int | None = None
    needed: bool = True

    def __str__(self) -> str:
        why = self.detail.get("why")
        return str(SENTENCES[self.code]) % (self.detail | {"why": FAILURES.get(str(why), why)})

    @property
    def verdict_text(self) -> str:
        """The verdict in words."""
        return str(VERDICTS[self.verdict])

    @property
    def counts(self) -> bool:
        """Whether it has a part in the verdict on the domain."""
        return self.needed or self.verdict is Verdict.CONFLICT

    @property
    def to_change(self) -> bool:
        """Whether somebody has to change something in the DNS for it."""
        return self.verdict is Verdict.CONFLICT or (self.verdict is Verdict.MISSING and self.needed)

    @property
    def kept(self) -> dict[str, Any]:
        """As it is stored: codes and values, the language comes when it is read."""
        return vars(self) | {"verdict": self.verdict.value, "detail": self.detail}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Line":
        """Out of what was stored."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()
        }
        return cls(**(values | {"verdict": Verdict(kept["verdict"])}))


def worst(lines: Iterable[Line]) -> Verdict:
    """The verdict on the whole domain; unknown when nothing was asked."""
    order = list(Verdict)
    return min((line.verdict for line in lines if line.counts), key=order.index, default=Verdict.UNKNOWN)
