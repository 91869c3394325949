"""Take the pictures of our mails anew: `python -m sandbox.mail_pictures [FOLDER]`.

Each mail's HTML as a browser shows it, on a phone and beside a desk, in the light and in the dark. By default the
pictures go to docs/images/mail. Nothing is sent, and no server runs: the rows are in a database that is thrown away.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import django
from django.core.management import call_command
from playwright.sync_api import Browser

from . import small_png
from .check import browser
from .stack import ROOT, Ports, Stack

if TYPE_CHECKING:
    from .mail_samples import Sample

PORTAL = "https://umzug.provider.example"
HEIGHT = 600
PHONE, DESK = 360, 800
Scheme = Literal["light", "dark"]

# What each mail is shown as: everything in German on both, the most important ones in the dark and in English too.
BOTH: tuple[tuple[int, Scheme], ...] = ((DESK, "light"), (PHONE, "light"))
ALL: tuple[tuple[int, Scheme], ...] = (*BOTH, (DESK, "dark"), (PHONE, "dark"))
SHOWN: dict[tuple[str, str], tuple[tuple[int, Scheme], ...]] = {
    ("announcement", "de"): BOTH,
    ("review", "de"): BOTH,
    ("invitation", "de"): ALL,
    ("invitation", "en"): ALL,
    ("invitation-shared", "de"): BOTH,
    ("invitation-machine", "de"): BOTH,
    ("invitation-again", "de"): BOTH,
    ("reminder", "de"): ALL,
    ("reminder-late", "de"): BOTH,
    ("password_saved", "de"): BOTH,
    ("password_active", "de"): BOTH,
    ("summary", "de"): ALL,
    ("test", "de"): BOTH,
}


def samples(folder: Path) -> list["Sample"]:
    """One of every mail in both languages, made with the settings of a demo in that folder."""
    stack = Stack(folder, Ports.free())
    stack.prepare()
    os.environ.update(stack.environment() | {"PORTAL_BASE_URL": PORTAL, "DJANGO_SETTINGS_MODULE": "portal.settings"})
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from .mail_samples import every_mail  # noqa: PLC0415 - models exist only after django.setup()

    return [sample for language in ("de", "en") for sample in every_mail(language)]


def take(chromium: Browser, every: list["Sample"], folder: Path) -> list[Path]:
    """Take every picture; returns the files."""
    files, reader = [], chromium.new_page()
    for sample in every:
        for width, scheme in SHOWN.get((sample.name, sample.language), ()):
            size = {"width": width, "height": HEIGHT}
            context = chromium.new_context(viewport=size, color_scheme=scheme, java_script_enabled=False)  # type: ignore[arg-type]
            page = context.new_page()
            page.set_content(sample.mail.html)
            file = folder / f"{sample.name}-{sample.language}-{width}-{scheme}.png"
            small_png.save(page.screenshot(full_page=True), file, reader)
            context.close()
            files.append(file)
    return files


def main() -> int:
    """Make the mails, take their pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-mails-") as data:
        every = samples(Path(data))
    with browser() as chromium:
        for file in take(chromium, every, folder):
            print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
