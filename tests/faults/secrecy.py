"""Secrets are searched for as an intruder would: in every file and store, under every wrapping."""

import base64
import binascii
import gzip
import os
import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis
from django.conf import settings
from django.db import connection

# Long enough that megabytes of sealed bytes do not look like one by chance.
HASHES = re.compile(
    rb"\$(?:[156]|2[aby]|y)\$[./=0-9A-Za-z]{1,16}\$[./0-9A-Za-z]|\$2[aby]\$\d\d\$[./0-9A-Za-z]|\{S?SHA|\{ARGON2ID\}"
)

Places = list[tuple[str, bytes]]


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything on disk below a folder; not the secret files, which hold what they are for."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent.name != "secrets":
            yield str(path.relative_to(folder)), path.read_bytes()


def tables(database_url: str) -> Iterator[tuple[str, bytes]]:
    """Every table of a PostgreSQL database as text."""
    with psycopg.connect(database_url) as server:
        found = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in found:
            with server.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                yield f"table {table}", b"".join(bytes(row) for row in rows)


def messages(broker_url: str) -> Iterator[tuple[str, bytes]]:
    """Everything in Redis."""
    broker = redis.Redis.from_url(broker_url)
    for key in broker.scan_iter():
        yield f"broker {key!r}", broker.dump(key) or b""


def of_this_test(*folders: Path) -> Places:
    """The database, the broker and the logs of what ran here."""
    places = [place for folder in folders for place in files(folder)]
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        paths = sorted(Path(name).parent.glob(f"{Path(name).name}*"))
        places += [(path.name, _read_elsewhere(path)) for path in paths]
        places += files(Path(settings.DATA_DIR, "broker"))
    else:
        places += [*tables(own_database_url()), *messages(settings.CELERY_BROKER_URL)]
    return places


def _read_elsewhere(path: Path) -> bytes:
    """The file's content, read by another process.

    Whoever closes a file loses all locks of its process on it (POSIX), so those of our connections to SQLite: the
    workers would no longer see us, and the database would be spoilt (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    return subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout


def own_database_url() -> str:
    """Where the database of the running tests is, for another process."""
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{here['NAME']}"
    before, _, after = os.environ["PORTAL_DATABASE_URL"].partition("?")
    return f"{before.rpartition('/')[0]}/{here['NAME']}" + (f"?{after}" if after else "")


def spellings(secret: str) -> Iterator[bytes]:
    """The secret as it is, and in the ways it could have been wrapped."""
    raw = secret.encode()
    yield raw
    yield quote(secret).encode()
    yield binascii.hexlify(raw)
    yield secret.encode("unicode_escape")
    # Base64 of something around it: the three alignments, without the ends that depend on the neighbours.
    for shift in range(3):
        yield base64.b64encode(b"x" * shift + raw)[4:-4]


def unpacked(content: bytes) -> bytes:
    """The content, and what comes out if it is compressed."""
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            return content + unpack(content)
        except (OSError, zlib.error, EOFError):
            continue
    return content


def found(places: Places, secret: str) -> list[str]:
    """The places where this secret stands."""
    wanted = list(spellings(secret))
    return [name for name, content in places if any(spelling in unpacked(content) for spelling in wanted)]


def readable(places: Places, *secrets: str) -> Iterator[str]:
    """I4: each secret that stands somewhere, and each password hash in the open."""
    everywhere = [(name, unpacked(content)) for name, content in places]
    for secret in secrets:
        wanted = set(spellings(secret))
        for name, content in everywhere:
            if any(spelling in content for spelling in wanted):
                yield f"{secret[:4]}… in {name}"
    yield from (f"a hash in {name}" for name, content in everywhere if HASHES.search(content))
