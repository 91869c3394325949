"""What Celery calls of the doors and of everything that is kept behind them."""

from celery import shared_task

from . import retention


# The first run after an import of years may take a while; what it leaves, the next finds.
@shared_task(name="accounts.retention", soft_time_limit=600, time_limit=660)
def erase() -> None:
    """Erase what was kept long enough: attempt counters and sessions too."""
    retention.run()
