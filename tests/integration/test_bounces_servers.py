"""Bounces as real servers make and keep them: Postfix writes and routes them, Dovecot has them in a mailbox.

Both run as private instances below a folder of their own. They need root, for so they are made.
"""

import os
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migration.mailings import imap_poll, outbox, verp
from migration.mailings.lmtp import Endpoint
from migration.models import Event, Mailbox, Mailing
from sandbox.stack import free_port
from tests import factories, reports
from tests.faults.owners import until
from tests.integration.test_mail_outbox import invite
from tests.integration.test_mail_route import certificate
from tests.reports import report

__all__ = ["certificate"]

is_root = os.geteuid() == 0
needs_postfix = pytest.mark.skipif(not (is_root and shutil.which("postfix")), reason="needs Postfix, and root")
needs_dovecot = pytest.mark.skipif(
    not (is_root and Path("/usr/lib/dovecot/imap-login").exists()), reason="needs Dovecot's IMAP, and root"
)

MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file_prefixes = {root}
maillog_file = {root}/log
myhostname = alt.example
mydestination = demo.example
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
recipient_delimiter = +
transport_maps = inline:{{ provider.example=lmtp:inet:127.0.0.1:{lmtp} }}
"""

MASTER = """\
{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""

DOVECOT = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
first_valid_uid = 1
mail_location = maildir:{root}/mail
passdb {{
  driver = static
  args = password=Right-Word-1
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={root}/home
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' own users may enter, which pytest's are not.

    A portal that was started in this process has left a mask that keeps everybody else out of what is made.
    """
    mask = os.umask(0o022)
    root = Path(tempfile.mkdtemp(prefix="umzug-mail-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root, ignore_errors=True)
    os.umask(mask)


@pytest.fixture
def postfix(folder: Path, settings: Any, transactional_db: None) -> Iterator[int]:
    """A Postfix that knows nobody at demo.example; what comes back goes to our endpoint. Its SMTP port."""
    endpoint = Endpoint("127.0.0.1", free_port())
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir()
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
    (folder / "conf" / "main.cf").write_text(MAIN.format(root=folder, lmtp=endpoint.port))
    endpoint.start()
    settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", _started(folder)
    yield settings.SOURCE_SMTP_PORT
    subprocess.run(["postfix", "-c", str(folder / "conf"), "stop"], check=True, capture_output=True)
    endpoint.stop()


def _started(folder: Path, tries: int = 3) -> int:
    """Start Postfix on a port that is free; between the question and the start somebody else may take it."""
    for _ in range(tries):
        port = free_port()
        (folder / "conf" / "master.cf").write_text(MASTER.format(smtp=f"127.0.0.1:{port}"))
        done = subprocess.run(["postfix", "-c", str(folder / "conf"), "start"], check=False, capture_output=True)
        if done.returncode == 0:
            return port
    log = folder / "log"
    raise RuntimeError(f"Postfix does not start: {done.stderr.decode()}{log.read_text() if log.exists() else ''}")


@needs_postfix
def test_mail_to_nobody_that_a_real_postfix_took_is_shown_as_not_delivered(postfix: int) -> None:
    mailbox = factories.make_mailbox("anna-gone", domain=factories.make_domain("demo.example"))
    mailing = invite(mailbox)

    outbox.send(mailing.pk)

    until(lambda: Mailing.objects.filter(pk=mailing.pk, bounced_at__isnull=False).exists(), "the bounce has come")
    mailing.refresh_from_db()
    assert (mailing.state, mailing.bounce_code) == (Mailing.State.SENT, "5.1.1")
    assert "unknown user" in mailing.bounce_text
    assert Event.objects.filter(action=Event.Action.BOUNCED, mailbox=mailbox).count() == 1


@pytest.fixture
def dovecot(folder: Path, certificate: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Dovecot with one mailbox, which the settings point to. The folder new mail is put into."""
    port = free_port()
    readable = folder / "localhost.pem"
    readable.write_bytes(certificate.read_bytes())
    nobody = pwd.getpwnam("nobody").pw_uid
    for name in ("run", "state", "home", "mail", "mail/new", "mail/cur", "mail/tmp"):
        (folder / name).mkdir()
    for name in ("home", "mail", "mail/new", "mail/cur", "mail/tmp"):
        os.chown(folder / name, nobody, -1)
    config = folder / "dovecot.conf"
    config.write_text(DOVECOT.format(root=folder, certificate=readable, port=port))
    monkeypatch.setenv("SSL_CERT_FILE", str(readable))
    settings.BOUNCE_IMAP_HOST, settings.BOUNCE_IMAP_PORT = "localhost", port
    settings.BOUNCE_IMAP_USER, settings.BOUNCE_IMAP_PASSWORD = "bounces", "Right-Word-1"
    with subprocess.Popen(["dovecot", "-F", "-c", str(config)], stderr=subprocess.DEVNULL) as server:
        until(lambda: _answers(port), "Dovecot answers")
        yield folder / "mail" / "new"
        server.send_signal(signal.SIGTERM)


def _answers(port: int) -> bool:
    try:
        ssl.get_server_certificate(("127.0.0.1", port), timeout=5)
    except OSError:
        return False
    return True


def put(new: Path, name: str, content: bytes) -> None:
    (new / name).write_bytes(content)
    os.chown(new / name, pwd.getpwnam("nobody").pw_uid, -1)


def files(new: Path) -> int:
    return sum(1 for place in ("new", "cur") for _file in (new.parent / place).iterdir())


@needs_dovecot
def test_bounces_in_a_mailbox_are_noted_and_then_deleted_and_all_else_is_left(dovecot: Path, mailbox: Mailbox) -> None:
    mailing = invite(mailbox)
    put(dovecot, "1.a", report(reports.POSTFIX, verp.sender(mailing.pk)))
    put(dovecot, "2.b", report(reports.ABSENCE, verp.sender(mailing.pk)))

    assert imap_poll.poll() == 2
    assert imap_poll.poll() == 0

    mailing.refresh_from_db()
    assert mailing.bounce_code == "5.1.1"
    assert files(dovecot) == 1


@needs_dovecot
def test_wrong_password_of_the_mailbox_is_logged_without_it(
    dovecot: Path, mailbox: Mailbox, settings: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings.BOUNCE_IMAP_PASSWORD = "Wrong-Word-2"

    assert imap_poll.poll() == 0

    told = "".join(capsys.readouterr()) + caplog.text
    assert "bounce_mailbox_failed" in told
    assert "Wrong-Word-2" not in told


def test_without_a_mailbox_in_the_settings_nothing_is_asked(settings: Any) -> None:
    settings.BOUNCE_IMAP_HOST = ""

    assert imap_poll.poll() == 0
