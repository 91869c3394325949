"""The rows of the move, one subject a file."""

from .bans import Ban, BanPoll, Lifting
from .bulk import BulkPart, BulkRun
from .cases import Case
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
from .phone_codes import PhoneCode
from .plans import Campaign, PlanStep
from .provisioning import ProvisionedObject, Provisioning
from .pushes import Push, Target
from .reviews import Answer, Review
from .sources import Pace, Source
from .tokens import ApiToken
from .wordings import Wording

__all__ = [
    "Alias",
    "Answer",
    "ApiToken",
    "Ban",
    "BanPoll",
    "BulkPart",
    "BulkRun",
    "Campaign",
    "Case",
    "Customer",
    "DnsCheck",
    "Domain",
    "Event",
    "FirstLogin",
    "HighWaterMark",
    "ImportPage",
    "ImportRun",
    "Lifting",
    "LoginPoll",
    "Mailbox",
    "Mailing",
    "Pace",
    "PhoneCode",
    "PlanStep",
    "Printing",
    "ProvisionedObject",
    "Provisioning",
    "Push",
    "Review",
    "Source",
    "SourceLogin",
    "Target",
    "TargetLogin",
    "Wording",
    "Zone",
]
