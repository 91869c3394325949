"""Attempt budgets: how often a wrong first-login password may be typed."""

from django.db import models


class Attempts(models.Model):
    """Failed tries in one bucket."""

    bucket = models.CharField(max_length=80, unique=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
