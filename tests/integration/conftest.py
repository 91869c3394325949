"""Fixtures for the screens."""

from typing import Any

import pytest


@pytest.fixture
def english(settings: Any) -> None:
    """Pages in the language the texts are written in, whether the catalogues are compiled or not."""
    settings.LANGUAGE_CODE = "en"
