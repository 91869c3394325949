"""Make the secrets of a new installation: `python -m portal.new_secrets secrets`.

One file a secret, none is ever overwritten. The API key is mailcow's to give: put it into `mailcow_api_key` yourself.
The files may be read by everybody, the folder only by its owner: a container runs as another user and gets each file
by itself.
"""

import secrets
import sys
from pathlib import Path

from migration.secrets import new_key_line


def write(folder: Path) -> list[str]:
    """Write what is missing; returns the names written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    postgres, redis = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    wanted = {
        "secret_key": secrets.token_urlsafe(50),
        "key_ring": new_key_line("first"),
        "mailcow_api_key": "",
        "postgres_password": postgres,
        "database_url": f"postgres://umzug:{postgres}@postgres/umzug",
        "redis_password": redis,
        "broker_url": f"redis://:{redis}@redis:6379/0",
        "cache_url": f"redis://:{redis}@redis:6379/1",
    }
    if any((folder / name).exists() for name in wanted):
        # A password belongs to the address that carries it: half a set would not fit together.
        wanted = {name: value for name, value in wanted.items() if name == "mailcow_api_key"}
    written = []
    for name, value in wanted.items():
        path = folder / name
        if not path.exists():
            path.touch(mode=0o444)
            path.chmod(0o644)
            path.write_text(value + "\n" if value else "")
            path.chmod(0o444)
            written.append(name)
    return written


if __name__ == "__main__":
    for name in write(Path(sys.argv[1])):
        print(name)  # noqa: T201 - a command's answer
