"""The mails the old server holds: one file each in a folder, so that they outlive a restart."""

import email
import itertools
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One mail in one old mailbox, with the envelope it came in."""

    id: int
    sender: str
    recipient: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text, or nothing."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML, or nothing."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""


class Store:
    """A folder of mails. The envelope stands on top of each file, as `Return-Path` and `Delivered-To`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mails = {int(file.stem): self._read(file) for file in sorted(folder.glob("*.eml"))}
        self._ids = itertools.count(max(self._mails, default=0) + 1)
        self._lock = threading.Lock()

    def add(self, sender: str, recipient: str, content: bytes) -> StoredMail:
        """Keep a mail. It is complete on disk before anybody can see it."""
        envelope = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient.lower()}\r\n".encode()
        with self._lock:
            file = self._folder / f"{next(self._ids):06}.eml"
            unfinished = file.with_suffix(".part")
            unfinished.write_bytes(envelope + content)
            unfinished.replace(file)
            mail = self._mails[int(file.stem)] = self._read(file)
        return mail

    def get(self, number: int) -> StoredMail | None:
        """The mail with this number."""
        return self._mails.get(number)

    def mails(self, recipient: str = "") -> list[StoredMail]:
        """All mails, or one mailbox's, oldest first."""
        recipient = recipient.lower()
        with self._lock:
            return [mail for mail in self._mails.values() if recipient in ("", mail.recipient)]

    @staticmethod
    def _read(file: Path) -> StoredMail:
        message = email.message_from_bytes(file.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        sender, recipient = str(message["Return-Path"]).strip("<> "), str(message["Delivered-To"])
        del message["Return-Path"], message["Delivered-To"]
        return StoredMail(int(file.stem), sender, recipient, message)
