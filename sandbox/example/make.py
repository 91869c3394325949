"""Write the example's files anew from people.py: `python -m sandbox.example.make`. Needs doveadm and perl.

The same people come out as the same lines, but for the salts of their hashes.
"""

import csv
import secrets
import string
import subprocess
from pathlib import Path

from migration.addresses import domain_to_ascii
from migration.imports.parsed import COLUMNS

from .people import ALIASES, BAKERS, BAKERS_ALIASES, FIRST, PEOPLE, SECOND, Person

FOLDER = Path(__file__).parent
README = """# The example customer

Sonnleitner Naturkost GmbH and its bakery do not exist, and neither do their people, domains and passwords:
everything here is **demonstration data**, under names reserved by RFC 2606. The hashes are real ones, made by
Dovecot's `doveadm pw` (and libcrypt), so that whoever tries the portal can type an old password and see what happens.

| File | Domain | What it is |
| --- | --- | --- |
| `mailboxes.csv` | `{first}` | {people} mailboxes and {aliases} aliases, as an import table |
| `passwd` | `{second}` | {bakers} mailboxes as a Dovecot passwd-file, without aliases |
| `aliases.csv` | `{second}` | its {bakers_aliases} aliases, to be imported after it |
| `hofladen.csv` | `hofladen.example` | 4 mailboxes and 2 aliases, written by hand; not on the new server yet |

"May be kept" means: typed as the new password it is recognised as the old one and meets the rules.
`people.py` is the source of the first two; `python -m sandbox.example.make` writes the other files and this page.
"""


def doveadm(scheme: str, password: str) -> str:
    """The password hashed by Dovecot, with its label."""
    command = ["doveadm", "pw", "-s", scheme, "-p", password]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def stored(person: Person) -> str:
    """What the old server has in its password field."""
    if not person.password:
        return person.scheme
    if person.scheme == "yescrypt":
        salt = "".join(secrets.choice("./" + string.digits + string.ascii_letters) for _ in range(20))
        program = "print crypt($ARGV[0], $ARGV[1])"
        command = ["perl", "-e", program, person.password, f"$y$j9T${salt}a.$"]
        return "{CRYPT}" + subprocess.run(command, check=True, capture_output=True, text=True).stdout
    label, _, scheme = person.scheme.rpartition(" ")
    made = doveadm(scheme, person.password)
    return made.partition("}")[2] if label == "bare" else made


def write_table(path: Path, domain: str, people: list[Person], aliases: list[tuple[str, str, str]]) -> None:
    """A CSV file of the import's own format."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, delimiter=";", lineterminator="\n")
        table.writeheader()
        for person in people:
            table.writerow(
                {
                    "address": f"{person.local_part}@{domain}",
                    "name": person.name,
                    "kind": person.kind,
                    "responsible": person.responsible,
                    "language": person.language,
                    "quota_mib": person.quota_mib,
                    "last_login": person.last_login,
                    "password_hash": stored(person),
                }
            )
        for local_part, goto, _ in aliases:
            table.writerow({"address": f"{local_part}@{domain}", "kind": "alias", "goto": goto})


def write_passwd(path: Path, domain: str, people: list[Person]) -> None:
    """A Dovecot passwd-file."""
    lines = ["# user:password:uid:gid:(gecos):home:(shell):extra_fields"]
    for person in people:
        address = f"{person.local_part}@{domain_to_ascii(domain)}"
        home = f"/var/vmail/{domain_to_ascii(domain)}/{person.local_part}"
        extra = f"userdb_quota_rule=*:storage={person.quota_mib}M"
        lines.append(f"{address}:{stored(person)}:5000:5000:{person.name}:{home}::{extra}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_readme(path: Path) -> None:
    """The page that tells visitors what to try."""
    numbers = {"people": len(PEOPLE), "aliases": len(ALIASES), "bakers": len(BAKERS)}
    parts = [README.rstrip().format(first=FIRST, second=SECOND, bakers_aliases=len(BAKERS_ALIASES), **numbers)]
    for domain, people, aliases in ((FIRST, PEOPLE, ALIASES), (SECOND, BAKERS, BAKERS_ALIASES)):
        parts.append(
            f"\n## {domain}\n\n| Mailbox | Old password | Scheme | Kind | Shows |\n| --- | --- | --- | --- | --- |"
        )
        for person in people:
            password = f"`{person.password}`" if person.password else "none"
            parts.append(f"| `{person.local_part}` | {password} | `{person.scheme}` | {person.kind} | {person.shows} |")
        parts.append("\n| Alias | Delivers to | Shows |\n| --- | --- | --- |")
        parts += [f"| `{local_part}` | {goto} | {shows} |" for local_part, goto, shows in aliases]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def main() -> None:
    """Write all four files."""
    write_table(FOLDER / "mailboxes.csv", FIRST, PEOPLE, ALIASES)
    write_passwd(FOLDER / "passwd", SECOND, BAKERS)
    write_table(FOLDER / "aliases.csv", SECOND, [], BAKERS_ALIASES)
    write_readme(FOLDER / "README.md")


if __name__ == "__main__":
    main()
