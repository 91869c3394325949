"""The peer: what Django ships for the same job, sign-in with a mailed password and PasswordChangeView, as a server.

Same gunicorn, same database engine and options, Argon2 as the hasher: with the portal's parameters, or with Django's
own where STOCK_HASHER says `default`. `python -m bench.stock N` makes N users.
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.configure(
    SECRET_KEY="stock",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"page.html": "<form method=post>{% csrf_token %}{{ form }}<button>OK</button></form>"},
                    )
                ],
            },
        }
    ],
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.Argon2PasswordHasher"
        if os.environ.get("STOCK_HASHER") == "default"
        else "bench.hasher.PortalsArgon2"
    ],
    AUTH_PASSWORD_VALIDATORS=[
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(os.environ["STOCK_FOLDER"]) / "stock.sqlite3"),
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            },
        }
    },
    LOGIN_REDIRECT_URL="/password",
)
django.setup()

from django.contrib.auth import views  # noqa: E402 - models exist only now
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


@login_required
def done(request: HttpRequest) -> HttpResponse:
    """The page after the change."""
    return HttpResponse(f"Password of {request.user} changed.")


urlpatterns = [
    path("login", views.LoginView.as_view(template_name="page.html")),
    path("password", views.PasswordChangeView.as_view(template_name="page.html", success_url="/done")),
    path("done", done),
]
application = get_wsgi_application()


def make_users(count: int) -> None:
    """Users `owner0` … with the password `first-login-password-N`."""
    call_command("migrate", verbosity=0)
    for number in range(count):
        User.objects.create_user(f"owner{number}", password=f"first-login-password-{number}")


if __name__ == "__main__":
    make_users(int(sys.argv[1]))
