"""`python -m sandbox.mailhost`: the old mail server for the demo."""

import argparse
import signal
import threading
from pathlib import Path

from . import MailHost


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.mailhost", description="The old mail server, for the demo."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--smtp-port", type=int, default=2525)
    parser.add_argument("--http-port", type=int, default=8025)
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept")
    parser.add_argument("--totp-secret-file", type=Path, help="base32 secret of the demo's staff member, for /phone")
    parser.add_argument("--portal-url", default="", help="links to this address can be clicked")
    given = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with MailHost(
        given.folder,
        host=given.host,
        smtp_port=given.smtp_port,
        http_port=given.http_port,
        totp_secret_file=given.totp_secret_file,
        portal_url=given.portal_url,
    ) as host:
        print(f"Old webmail: {host.url}  SMTP: {given.host}:{host.smtp_port}", flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
