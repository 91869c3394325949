"""The page names the meter's worker only where there is one."""

from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template

NAMED = Template("{% load strength %}{% strength_worker %}")


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Static files of which nothing is built yet."""
    settings.STATICFILES_DIRS = [tmp_path]
    return tmp_path


def test_what_was_not_built_is_not_named(folder: Path) -> None:
    assert NAMED.render(Context()) == ""


def test_what_was_built_is_named(folder: Path) -> None:
    (folder / "strength").mkdir()
    (folder / "strength" / "worker.js").touch()

    assert NAMED.render(Context()) == "/static/strength/worker.js"


def test_what_was_built_after_collecting_is_not_named(folder: Path, settings: Any, tmp_path: Path) -> None:
    (folder / "strength").mkdir()
    (folder / "strength" / "worker.js").touch()
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

    assert NAMED.render(Context()) == ""
