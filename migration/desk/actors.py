"""Who did it, in words: the owner, the plan's clock, a member of staff by name."""

from collections.abc import Iterable, Mapping

from django.contrib.auth import get_user_model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

STAFF = "staff:"
COMMAND = "command:"

WORDS: dict[str, str | Promise] = {
    "owner": gettext_lazy("the owner"),
    "contact": gettext_lazy("the customer's contact"),
    "worker": gettext_lazy("the portal"),
    "portal": gettext_lazy("the portal"),
    "clock": gettext_lazy("the plan's clock"),
    "retention": gettext_lazy("the daily run"),
    "staff": gettext_lazy("a member of staff"),
}


def words(actors: Iterable[str]) -> Mapping[str, str]:
    """What to call each of these actors. One query, and none if nobody of the staff is among them."""
    wanted = set(actors)
    addresses = {actor.removeprefix(STAFF) for actor in wanted if actor.startswith(STAFF)}
    staff = get_user_model()._default_manager.filter(email__in=addresses) if addresses else ()
    names = {f"{STAFF}{user.get_username()}": str(user) for user in staff}
    return {actor: names.get(actor) or _word(actor) for actor in wanted}


def _word(actor: str) -> str:
    if actor in WORDS:
        return str(WORDS[actor])
    if actor.startswith(COMMAND):
        return _("an operator, by %(command)s") % {"command": actor.removeprefix(COMMAND)}
    return actor.removeprefix(STAFF)
