"""The recordings of a real mailcow 2026-07a: request, reply, and what changed in its database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from migration.mailcow.replies import Reply

FOLDER = Path(__file__).parent / "recordings"


@dataclass(frozen=True)
class Recording:
    name: str
    request: dict[str, Any]
    status: int
    content_type: str
    document: Any
    effects: dict[str, Any]

    @property
    def route(self) -> str:
        return str(self.request["path"]).partition("?")[0].removeprefix("/api/v1/")

    @property
    def reply(self) -> Reply:
        is_text = isinstance(self.document, str)
        body = self.document.encode() if is_text else json.dumps(self.document).encode()
        return Reply(self.status, self.content_type, body)

    @property
    def changes_password(self) -> bool:
        return self.request["method"] == "POST" and self.route == "edit/mailbox"

    @property
    def address(self) -> str:
        """The mailbox the call is about, spelled as it was sent; one that does not exist if it is about none."""
        if self.changes_password and self.name not in (
            "body-json-list",
            "body-json-number",
            "body-json-string",
        ):
            return self._first_item() or "own@portal.example"
        if self.route.startswith("get/mailbox/") and "@" in self.route:
            return unquote(self.route.removeprefix("get/mailbox/").strip("/"))
        return "own@portal.example"

    def _first_item(self) -> str:
        body = self.request.get("body")
        if not isinstance(body, dict):
            raw = str(self.request.get("body_raw", ""))
            return next((one for one in ("edit@demo.example", "anna@demo.example") if one in unquote(raw)), "")
        items = body.get("items")
        listed = list(items.values()) if isinstance(items, dict) else items if isinstance(items, list) else [items]
        return str(listed[0]) if listed and listed[0] else ""


@cache
def recordings() -> dict[str, Recording]:
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.json"))}


def _read(path: Path) -> Recording:
    data = json.loads(path.read_text(encoding="utf-8"))
    content_type = data["headers"].get("Content-Type", "")
    effects = data.get("effects") or {}
    return Recording(path.stem, data["request"], data["status"], content_type, data["body"], effects)
