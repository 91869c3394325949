"""The rows of the move, one subject a file."""

from .bans import Ban, BanPoll, Lifting
from .bulk import BulkPart, BulkRun
from .cases import Case
from .counts import DayCount, DomainCount
from .customers import Customer, Domain
from .dns import DnsCheck, Zone
from .events import Event
from .first_login import FirstLogin
from .imports import ImportPage, ImportRun
from .letters import Printing
from .logins import LoginPoll, SourceLogin, TargetLogin
from .mailboxes import Alias, Mailbox
from .mailings import Mailing
from .marks import HighWaterMark
from .notes import Note
from .phone_codes import PhoneCode
from .plans import Campaign, PlanStep
from .provisioning import ProvisionedObject, Provisioning
from .pushes import Push, Target
from .reviews import Answer, Review
from .seals import AuditHead, Seal
from .sources import Pace, Source
from .tokens import ApiToken
from .wordings import Wording

__all__ = [
    "Alias",
    "Answer",
    "ApiToken",
    "AuditHead",
    "Ban",
    "BanPoll",
    "BulkPart",
    "BulkRun",
    "Campaign",
    "Case",
    "Customer",
    "DayCount",
    "DnsCheck",
    "Domain",
    "DomainCount",
    "Event",
    "FirstLogin",
    "HighWaterMark",
    "ImportPage",
    "ImportRun",
    "Lifting",
    "LoginPoll",
    "Mailbox",
    "Mailing",
    "Note",
    "Pace",
    "PhoneCode",
    "PlanStep",
    "Printing",
    "ProvisionedObject",
    "Provisioning",
    "Push",
    "Review",
    "Seal",
    "Source",
    "SourceLogin",
    "Target",
    "TargetLogin",
    "Wording",
    "Zone",
]
