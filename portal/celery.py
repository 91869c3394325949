"""The Celery application: `celery -A portal worker` and `celery -A portal beat`."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from . import embedded_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

embedded_broker.install()
app = Celery("umzug")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery's current app belongs to the thread that made it; gunicorn answers in others, which fall back to the default.
app.set_default()


@app.on_after_configure.connect
def make_broker_folders(sender: Celery, **_kwargs: Any) -> None:
    """The embedded broker needs its folders before the first message; only we may look into them."""
    if sender.conf.broker_url.startswith("filesystem://"):
        for folder in ("data_folder_in", "control_folder"):
            Path(sender.conf.broker_transport_options[folder]).mkdir(mode=0o700, parents=True, exist_ok=True)


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Being connected is enough: Celery then leaves the logging of portal.log alone."""
