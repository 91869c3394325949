"""`python -m sandbox.mailcow --port 8900 --api-key-file FILE --state FILE`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from .standin import LOOPBACK, MailcowStandIn


def main() -> None:
    """Serve until interrupted or terminated."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.mailcow", description="A stand-in for mailcow.")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--api-key-file", type=Path, required=True, help="file holding the read-write key")
    parser.add_argument("--state", type=Path, help="file that keeps the state over a restart")
    parser.add_argument(
        "--control-network",
        action="append",
        help="network that may use page and control side; this machine unless told otherwise",
    )
    arguments = parser.parse_args()
    stand_in = MailcowStandIn(
        arguments.port,
        host=arguments.host,
        api_key=arguments.api_key_file.read_text(encoding="utf-8").strip(),
        state_file=arguments.state,
        control_networks=tuple(arguments.control_network or LOOPBACK),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"mailcow stand-in: {stand_in.url}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        stand_in.serve_forever()


if __name__ == "__main__":
    main()
