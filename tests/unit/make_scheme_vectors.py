"""Make scheme_vectors.json: passwords hashed by Dovecot and by libcrypt, the judges of our verifier.

Run it where `doveadm` and `perl` are installed: python tests/unit/make_scheme_vectors.py
"""

import json
import subprocess
from pathlib import Path

PASSWORDS = ["geheim12", "Grüße aus Wien 1€", "x"]
SCHEMES = [
    "SHA512-CRYPT",
    "SHA256-CRYPT",
    "BLF-CRYPT",
    "MD5-CRYPT",
    "CRYPT",
    "DES-CRYPT",
    "MD5",
    "PBKDF2",
    "ARGON2I",
    "ARGON2ID",
    "SSHA",
    "SSHA256",
    "SSHA512",
    "SMD5",
    "SHA",
    "SHA1",
    "SHA256",
    "SHA512",
    "PLAIN-MD5",
    "LDAP-MD5",
    "PLAIN",
    "CLEAR",
    "CLEARTEXT",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
]
# Settings of methods Dovecot leaves to libcrypt under {CRYPT}.
CRYPT_SETTINGS = [
    "$1$saltsalt$",
    "$2y$05$abcdefghijklmnopqrstuu",
    "$5$rounds=2000$saltsalt$",
    "$6$rounds=2000$saltsalt$",
    "$y$j75$saltsaltsalt$",
    "$gy$j75$saltsaltsalt$",
    "$7$2U..../....saltsaltsalt$",
    "$md5,rounds=100$saltsalt$",
    "$sha1$2000$saltsalt$",
    "ab",
]


def doveadm(scheme: str, password: str) -> str:
    command = ["doveadm", "pw", "-s", scheme, "-p", password]
    if scheme.startswith("ARGON2"):
        command += ["-r", "3"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def libcrypt(setting: str, password: str) -> str:
    program = "print crypt($ARGV[0], $ARGV[1]) // '*'"
    return subprocess.run(
        ["perl", "-e", program, password, setting], check=True, capture_output=True, text=True
    ).stdout.strip()


def fresh_vectors(passwords: list[str]) -> list[dict[str, str]]:
    """Every scheme in every encoding, and every libcrypt setting, for each of the passwords."""
    return [
        {"stored": stored, "password": password}
        for password in passwords
        for stored in (
            *(doveadm(scheme + suffix, password) for scheme in SCHEMES for suffix in ("", ".HEX", ".B64", ".b64")),
            *("{CRYPT}" + libcrypt(setting, password) for setting in CRYPT_SETTINGS),
        )
    ]


if __name__ == "__main__":
    target = Path(__file__).with_name("scheme_vectors.json")
    target.write_text(json.dumps(fresh_vectors(PASSWORDS), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
