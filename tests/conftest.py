"""The cast and the ground rules: only localhost, an empty cache, cheap staff passwords."""

import os
import socket
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.test import Client, TransactionTestCase
from django.utils import translation

from accounts.models import User
from migration.models import Mailbox
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from sandbox.stack import Stack

from . import factories
from .audit import unguarded
from .running import chromium, stack

__all__ = ["chromium", "stack"]

LOG_END_CHARACTERS = 3000


class CheapStaffHasher(MD5PasswordHasher):
    """Staff passwords in tests: what is tested is who may do what, not Argon2."""

    algorithm = "md5"


_empty: Callable[[TransactionTestCase], None] = vars(TransactionTestCase)["_fixture_teardown"]


def _emptied_past_the_guards(self: TransactionTestCase) -> None:
    """SQLite's tables are emptied row by row after a test with transactions of its own: events too."""
    with unguarded():
        _empty(self)


# Not by a fixture: pytest-django's own is set up before any of ours, so ours would be gone when the tables are emptied.
setattr(TransactionTestCase, "_fixture_teardown", _emptied_past_the_guards)  # noqa: B010 - unknown to the types


@pytest.fixture(autouse=True)
def _only_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise AssertionError(f"a test tried to reach {address[0]}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def _english(settings: Any) -> Iterator[None]:
    """Tests read the pages in the language of their msgids; what is said in German is asked for in German."""
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _cheap_static_files(settings: Any) -> None:
    """Each `Client` is a web server of its own, which would read every static file before its first answer.

    So they are found when they are asked for. As in production they are served in the browser tests.
    """
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _cheap_staff_hasher(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.conftest.CheapStaffHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture(autouse=True)
def _empty_cache(_cheap_staff_hasher: None) -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _no_mark_of_another_test(settings: Any) -> None:
    mark = Path(settings.DATA_DIR, f"high-water-mark-{os.getpid()}")
    mark.unlink(missing_ok=True)
    Path(f"{mark}.audit").unlink(missing_ok=True)
    settings.MARK_FILE = str(mark)


@pytest.fixture
def mailbox(db: None) -> Mailbox:
    """anna@demo.example, imported; the domain is announced."""
    return factories.make_mailbox("anna", domain=factories.make_domain("demo.example"), name="Anna Gruber")


@pytest.fixture
def staff_client(db: None) -> Callable[..., Client]:
    """Make a client of a member of staff with a role, past the second factor."""

    def make(role: str = "support", **fields: Any) -> Client:
        user = factories.make_staff(role=role, **fields)
        return _signed_in(user)

    return make


@pytest.fixture
def support_client(staff_client: Callable[..., Client]) -> Client:
    """Support, past the second factor."""
    return staff_client("support")


@pytest.fixture
def admin_client_mfa(staff_client: Callable[..., Client]) -> Client:
    """An admin, past the second factor."""
    return staff_client("admin")


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="accounts.staff.RoleBackend")
    return client


@pytest.fixture
def mailcow(settings: Any) -> Iterator[MailcowStandIn]:
    """A mailcow with state on a port of its own, which the settings point to."""
    with MailcowStandIn() as stand_in:
        settings.MAILCOW_URL = stand_in.url
        settings.MAILCOW_API_KEY = stand_in.api_key
        yield stand_in


@pytest.fixture
def host(tmp_path: Path, settings: Any) -> Iterator[MailHost]:
    """The old mail server on ports of its own, which the settings point to."""
    with MailHost(tmp_path / "mails") as host:
        settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", host.smtp_port
        settings.SOURCE_SMTP_SECURITY = "none"
        yield host


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the processes wrote last belongs to the report of a failed test."""
    report = yield
    running = item.funcargs.get("stack")
    if report.failed and isinstance(running, Stack):
        report.sections += [(f"log of {name}", running.log(name)[-LOG_END_CHARACTERS:]) for name in running.processes]
        if name := running.dead():
            report.sections.append(("ended by itself", name))
    return report
