"""Umzug, the portal: settings, addresses, Celery. It names the apps; no app imports it."""

from .celery import app as celery_app

__all__ = ["celery_app"]
