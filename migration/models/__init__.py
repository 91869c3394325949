"""The rows of the move, one subject a file."""

from .cases import Case
from .customers import Customer, Domain
from .events import Event
from .first_login import FirstLogin
from .imports import ImportRun
from .mailboxes import Alias, Mailbox
from .mailings import Mailing
from .pushes import Push, Target

__all__ = [
    "Alias",
    "Case",
    "Customer",
    "Domain",
    "Event",
    "FirstLogin",
    "ImportRun",
    "Mailbox",
    "Mailing",
    "Push",
    "Target",
]
