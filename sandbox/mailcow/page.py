"""The stand-in's page for people: what is stored, a door to try a password, and the switches."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

from . import passwords
from .state import Mailbox, State

STYLE_PATH = "/sandbox/style.css"
MOST_ROWS = 500

_LABELS = {
    "answer_500": "Fail with an error (500)",
    "html_error_page": "Show an error page (PHP down)",
    "empty_200": "Answer with nothing",
    "redirect": "Send elsewhere (301)",
    "wrong_key": "Refuse our key",
    "read_only": "Allow reading only",
    "down": "Be unreachable",
    "drop_before_write": "Hang up before storing",
    "drop_after_write": "Hang up after storing",
    "slow": "Be slow (10 seconds)",
    "deadlock": "Deadlock, but store",
    "reject": "Refuse the password",
    "false_success": "Claim success, store nothing",
}
_ARGUMENTS = {"slow": {"seconds": "10"}, "reject": {"code": "password_complexity"}}


def render(state: State, pending: list[dict[str, Any]], switches: list[str], outcome: dict[str, Any] | None) -> str:
    """The whole page."""
    rows = "".join(_row(row) for _, row in sorted(state.mailboxes.items())[:MOST_ROWS])
    more = len(state.mailboxes) - MOST_ROWS
    note = f"<p>{more} more are not shown.</p>" if more > 0 else ""
    empty = '<tr><td colspan="5">No mailboxes yet. The portal creates them, or they are imported.</td></tr>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mailcow stand-in</title>
<link rel="stylesheet" href="{STYLE_PATH}">
</head>
<body>
<header><h1>mailcow stand-in</h1>
<p>The new mail server of this demo. It answers the portal as mailcow would,
and shows here what it has stored.</p></header>
<main>
{_try_form(outcome)}
<section aria-labelledby="boxes"><h2 id="boxes">Mailboxes</h2>
<div class="wide"><table>
<thead><tr><th scope="col">Address</th><th scope="col">State</th><th scope="col">Stored scheme</th>
<th scope="col">Last password change</th><th scope="col">Last IMAP login</th></tr></thead>
<tbody>{rows or empty}</tbody>
</table></div>{note}</section>
{_switches(pending, switches)}
</main>
</body>
</html>
"""


def _row(row: Mailbox) -> str:
    state = {0: "off", 1: "active", 2: "no login"}.get(row.active, "?")
    login = row.logins.get("imap")
    seen = datetime.fromtimestamp(login, UTC).strftime("%Y-%m-%d %H:%M UTC") if login else "never"
    cells = [state, passwords.scheme_of(row.password), row.attributes.get("passwd_update") or "", seen]
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(row.address)}</th>{rest}</tr>'


def _try_form(outcome: dict[str, Any] | None) -> str:
    said, address = "", ""
    if outcome is not None:
        address = escape(str(outcome["address"]))
        text = "opened by this password." if outcome["success"] else "not opened by this password."
        kind = "good" if outcome["success"] else "bad"
        said = f'<p class="{kind}" role="status">{address}: {text}</p>'
    return f"""<section aria-labelledby="try"><h2 id="try">Try a password</h2>
<p>As a mail program would, against what is stored here.</p>{said}
<form method="post" action="/sandbox/verify">
<label>Address <input name="address" type="email" autocomplete="off" required value="{address}"></label>
<label>Password <input name="password" type="password" autocomplete="off" required></label>
<button>Try it</button>
<button formaction="/sandbox/login">Sign in by IMAP</button>
</form></section>"""


def _switches(pending: list[dict[str, Any]], switches: list[str]) -> str:
    on = "".join(f"<li>{escape(_pending(fault))}</li>" for fault in pending)
    shown = f"<ul>{on}</ul>" if on else "<p>Nothing is switched on: it behaves.</p>"
    return f"""<section aria-labelledby="faults"><h2 id="faults">Make it fail</h2>
<p>Each switch acts on the next call of the portal, some until all is switched off.</p>
<div class="switches">{"".join(_button(kind) for kind in switches)}</div>
{shown}
<form method="post" action="/sandbox/faults/clear"><input type="hidden" name="all" value="1">
<button>Switch all off</button></form>
</section>"""


def _button(kind: str) -> str:
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{value}">'
        for name, value in {"kind": kind, **_ARGUMENTS.get(kind, {})}.items()
    )
    button = f"<button>{escape(_LABELS[kind])}</button>"
    return f'<form method="post" action="/sandbox/faults">{fields}{button}</form>'


def _pending(fault: dict[str, Any]) -> str:
    times = "until switched off" if fault["times"] is None else f"{fault['times']} more"
    return f"{fault['kind']}: {times}"


STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 0 auto; padding: 1rem; }
header { border-bottom: 3px solid #d9a400; }
h1 { margin-bottom: 0; }
section { margin: 2rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .8rem .4rem 0; text-align: left; font-weight: 400; }
thead th { font-weight: 600; }
form { display: flex; flex-wrap: wrap; gap: .8rem; align-items: end; }
label { display: grid; }
input, button { font: inherit; padding: .4rem .7rem; }
.switches { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: 1rem; }
.good, .bad { padding: .5rem .8rem; border-left: 4px solid; }
.good { border-color: #2a7d2a; }
.bad { border-color: #b3261e; }
"""
