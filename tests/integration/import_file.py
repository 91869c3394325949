"""Lines of an import file for demo.example, with the hashes an old server might have."""

from migration.imports import run
from migration.imports.rows import ParsedFile
from migration.models import Domain

OLD = "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8"
MD5 = "$1$o.43fH1c$EapKZBtK6ExFP3.hWba4e0"
DES = "{CRYPT}ab1cdefghijkl"
HEADER = "address,name,kind,responsible,language,quota_mib,last_login,password_hash,goto"


def csv(*lines: str) -> bytes:
    """The file with these lines."""
    return "\n".join((HEADER, *lines)).encode()


def row(local_part: str, password_hash: str = "", *, name: str = "", kind: str = "", quota: str = "") -> str:
    """A mailbox."""
    return f"{local_part}@demo.example,{name},{kind},,,{quota},,{password_hash},"


def alias(local_part: str, goto: str) -> str:
    """An alias."""
    return f"{local_part}@demo.example,,alias,,,,,,{goto}"


def read(domain: Domain, *lines: str) -> ParsedFile:
    """What the file with these lines says."""
    return run.read(csv(*lines), domain)
