"""The Celery application: `celery -A portal worker` and `celery -A portal beat`."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("umzug")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

if settings.CELERY_BROKER_URL.startswith("filesystem://"):
    for folder in ("queue", "control"):
        Path(settings.DATA_DIR, "broker", folder).mkdir(mode=0o700, parents=True, exist_ok=True)


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Being connected is enough: Celery then leaves the logging of portal.log alone."""
