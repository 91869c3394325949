"""The floor of a journey as a server of its own: five minimal Django requests with a session, one hashes.

Same Django, same gunicorn, same database engine and options, same Argon2 parameters; nothing of ours.
"""

import os
from pathlib import Path

import django
from argon2 import PasswordHasher
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="floor",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(os.environ["FLOOR_FOLDER"]) / "floor.sqlite3"),
            "CONN_MAX_AGE": 60,
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
        }
    },
)
django.setup()

hasher = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)


def step(request: HttpRequest) -> HttpResponse:
    """Touch the session, as any page behind a sign-in does."""
    request.session["steps"] = request.session.get("steps", 0) + 1
    return HttpResponse("ok")


def hashing(request: HttpRequest) -> HttpResponse:
    """The same, and the one hash nobody can save."""
    hasher.hash("a password as long as one")
    return step(request)


urlpatterns = [path("step", step), path("hash", hashing)]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
