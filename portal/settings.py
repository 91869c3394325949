"""The only settings file. Everything an operator sets is an environment variable with the prefix PORTAL_.

A secret may instead stand in a file: PORTAL_SECRET_KEY_FILE=/run/secrets/secret_key is read where PORTAL_SECRET_KEY
would be. `.env.example` lists every variable with its meaning; a test keeps both in step. A value that makes no sense
stops the start with a sentence that names the variable. One file, and so a long one, is a decision.
"""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from migration.dns.servers import address_and_port
from migration.secrets import parse_key_ring
from portal.environment import env, number, one_of, secret, url
from portal.log import configure as configure_logging

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are -------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
try:
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"PORTAL_DATA_DIR {DATA_DIR} cannot be made: {error.strerror}") from error
BASE_URL = url("BASE_URL", "http://localhost:8000")
HTTPS = BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname])
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("PORTAL_ALLOWED_HOSTS must name the hosts; '*' would let anybody forge links.")
SECRET_KEY = secret("SECRET_KEY")
KEY_RING = parse_key_ring(secret("KEY_RING"))
# What this machine's workers saw last: tells a restored database from the one that was running. Must outlive restarts.
MARK_FILE = env.str("MARK_FILE", default=str(DATA_DIR / "high-water-mark"))
TRUSTED_PROXY_COUNT = number("TRUSTED_PROXY_COUNT", 0, least=0, most=5)

# --- The provider -----------------------------------------------------------------------------------------------------

PROVIDER_NAME = env.str("PROVIDER_NAME", default="ITEG")
PROVIDER_PHONE = env.str("PROVIDER_PHONE", default="+43 000 000 000")
PROVIDER_EMAIL = env.str("PROVIDER_EMAIL", default="support@iteg.example")
# The line above the window of a letter's envelope. Empty: the provider's name alone.
PROVIDER_POSTAL_ADDRESS = env.str("PROVIDER_POSTAL_ADDRESS", default="")
PROVIDER_COLOUR = env.str("PROVIDER_COLOUR", default="#0b5cad")

# Signs the profiles for Apple's devices: a certificate with its chain, and its key, both PEM. Empty: not signed.
PROFILE_CERT_FILE = env.str("PROFILE_CERT_FILE", default="")
PROFILE_KEY_FILE = env.str("PROFILE_KEY_FILE", default="")
if bool(PROFILE_CERT_FILE) != bool(PROFILE_KEY_FILE):
    raise ImproperlyConfigured(
        "PORTAL_PROFILE_CERT_FILE and PORTAL_PROFILE_KEY_FILE belong together: set both or none."
    )

SOURCE_MAIL_HOST = env.str("SOURCE_MAIL_HOST", default="mailhaus.iteg.at")
SOURCE_SMTP_HOST = env.str("SOURCE_SMTP_HOST", default=SOURCE_MAIL_HOST)
SOURCE_SMTP_PORT = number("SOURCE_SMTP_PORT", 25, least=1, most=65535)
SOURCE_SMTP_SECURITY = one_of("SOURCE_SMTP_SECURITY", "starttls", "none", "starttls", "tls")
SOURCE_SMTP_USER = env.str("SOURCE_SMTP_USER", default="")
SOURCE_SMTP_PASSWORD = secret("SOURCE_SMTP_PASSWORD", "")
MAIL_FROM = env.str("MAIL_FROM", default=PROVIDER_EMAIL)
MAILS_PER_MINUTE = number("MAILS_PER_MINUTE", 120, least=1, most=10_000)

# Mail to addresses outside the domains that move goes here; no host: the source's way.
SMARTHOST_HOST = env.str("SMARTHOST_HOST", default="")
SMARTHOST_PORT = number("SMARTHOST_PORT", 25, least=1, most=65535)
SMARTHOST_SECURITY = one_of("SMARTHOST_SECURITY", "starttls", "none", "starttls", "tls")
SMARTHOST_USER = env.str("SMARTHOST_USER", default="")
SMARTHOST_PASSWORD = secret("SMARTHOST_PASSWORD", "")

# A mailbox that bounces go to, read over TLS; no host: none is read. See also `manage.py receive_bounces`.
BOUNCE_IMAP_HOST = env.str("BOUNCE_IMAP_HOST", default="")
BOUNCE_IMAP_PORT = number("BOUNCE_IMAP_PORT", 993, least=1, most=65535)
BOUNCE_IMAP_USER = env.str("BOUNCE_IMAP_USER", default="")
BOUNCE_IMAP_PASSWORD = secret("BOUNCE_IMAP_PASSWORD", "")
BOUNCE_IMAP_FOLDER = env.str("BOUNCE_IMAP_FOLDER", default="INBOX")

TARGET_MAIL_HOST = env.str("TARGET_MAIL_HOST", default="mci.iteg.at")
TARGET_WEBMAIL_URL = url("TARGET_WEBMAIL_URL", "https://mailcow.iteg.at/SOGo")
SECOND_WEBMAIL_URL = env.str("SECOND_WEBMAIL_URL", default="")

# The notice "your new password is active" goes into the new mailbox, so to the new server itself. No host: no notice.
TARGET_SMTP_HOST = env.str("TARGET_SMTP_HOST", default="")
TARGET_SMTP_PORT = number("TARGET_SMTP_PORT", 25, least=1, most=65535)
TARGET_SMTP_SECURITY = one_of("TARGET_SMTP_SECURITY", "starttls", "none", "starttls", "tls")

# Only the worker needs the key: it is an administrator's key, so the web process should not have it.
MAILCOW_URL = url("MAILCOW_URL", "https://mailcow.iteg.at")
MAILCOW_API_KEY = secret("MAILCOW_API_KEY", "")
MAILCOW_CA_FILE = env.str("MAILCOW_CA_FILE", default="")
# Where owners change their password once a mailbox is handed over: mailcow's own page for them.
TARGET_USER_URL = url("TARGET_USER_URL", f"{MAILCOW_URL}/user")
# MiB of a mailbox that is made on mailcow and has no quota of its own.
PROVISION_QUOTA_MIB = number("PROVISION_QUOTA_MIB", 3072, least=1, most=10_000_000)
MAILCOW_WRITES_IN_FLIGHT = number("MAILCOW_WRITES_IN_FLIGHT", 2, least=1, most=2)
# One call to mailcow may take this long; a worker's claim on a push must outlive it, or two would push at once.
MAILCOW_CALL_SECONDS = number("MAILCOW_CALL_SECONDS", 75, least=1, most=600)
PUSH_LEASE = timedelta(seconds=number("PUSH_LEASE_SECONDS", 120, least=2, most=3600))
if PUSH_LEASE.total_seconds() <= MAILCOW_CALL_SECONDS:
    raise ImproperlyConfigured("PORTAL_PUSH_LEASE_SECONDS must be more than PORTAL_MAILCOW_CALL_SECONDS.")

# --- DNS of the domains that move -------------------------------------------------------------------------------------

# Asked for the checks before a cut-over: addresses, with :port if it is not 53. None: those of the system.
DNS_SERVERS: list[str] = env.list("DNS_SERVERS", default=[])
for _server in DNS_SERVERS:
    try:
        address_and_port(_server)
    except ValueError as error:
        raise ImproperlyConfigured(f"PORTAL_DNS_SERVERS holds {_server!r}, which is no IP address.") from error
# What the records of a domain are to say: hosts of its MX records, SPF, DKIM, what mail programs look for.
DNS_MX: list[str] = [host.lower().rstrip(".") for host in env.list("DNS_MX", default=[TARGET_MAIL_HOST])]
DNS_SPF_INCLUDE = env.str("DNS_SPF_INCLUDE", default="").lower().rstrip(".")
DNS_DKIM_SELECTOR = env.str("DNS_DKIM_SELECTOR", default="dkim")
_mailcow_host = urlsplit(MAILCOW_URL).hostname or ""
DNS_CLIENT_HOST = env.str(
    "DNS_CLIENT_HOST", default=TARGET_MAIL_HOST if re.fullmatch(r"localhost|[0-9.:]+", _mailcow_host) else _mailcow_host
)
# Also look, by https, whether a domain's own web server tells mail programs something else.
DNS_WELL_KNOWN = env.bool("DNS_WELL_KNOWN", default=True)

# --- Rules of the move ------------------------------------------------------------------------------------------------

FIRST_LOGIN_DAYS = number("FIRST_LOGIN_DAYS", 14, least=1, most=90)
DEADLINE_GRACE_DAYS = number("DEADLINE_GRACE_DAYS", 7, least=0, most=90)
# Under attack: only the link of a mail signs in; an address without it gets the usual answer to a wrong try.
SIGN_IN_BY_LINK_ONLY = env.bool("SIGN_IN_BY_LINK_ONLY", default=False)
PASSWORD_MIN_LENGTH = number("PASSWORD_MIN_LENGTH", 12, least=8, most=64)
PASSWORD_MAX_LENGTH = 128
PASSWORD_ASCII_ONLY = env.bool("PASSWORD_ASCII_ONLY", default=True)
LEGACY_RULES = one_of("LEGACY_RULES", "full", "full", "length")
LEGACY_HASH = one_of("LEGACY_HASH", "rehash", "rehash", "keep")
ARGON2_MEMORY_KIB = number("ARGON2_MEMORY_KIB", 19_456, least=19_456, most=262_144)
ARGON2_TIME_COST = number("ARGON2_TIME_COST", 2, least=1, most=10)
REMIND_DAYS: list[int] = env.list("REMIND_DAYS", cast=int, default=[14, 3, 1])
if not all(1 <= days <= 90 for days in REMIND_DAYS):
    raise ImproperlyConfigured("PORTAL_REMIND_DAYS must be numbers of days between 1 and 90, for example 14,3,1.")
PLAN_FROM_HOUR = number("PLAN_FROM_HOUR", 7, least=0, most=22)
PLAN_UNTIL_HOUR = number("PLAN_UNTIL_HOUR", 20, least=PLAN_FROM_HOUR + 1, most=24)
CUT_OVER_SHARE = number("CUT_OVER_SHARE", 95, least=0, most=100)
SWEEP_SECONDS = number("SWEEP_SECONDS", 60, least=1, most=600)

# --- Django -----------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "accounts.apps.UmzugAdminConfig",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "accounts.apps.AccountsConfig",
    "migration",
]

MIDDLEWARE = [
    "portal.health.AliveMiddleware",
    "portal.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.staff.SecondFactorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "portal.folding.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.provider",
                "portal.context.here",
            ],
            "builtins": ["portal.folding"],
        },
    }
]

_database: dict[str, Any] = env.db_url_config(secret("DATABASE_URL", f"sqlite:///{DATA_DIR}/umzug.sqlite3"))
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a claim must hold the write lock from its first statement, not from its first write.
    # secure_delete: a blanked hash must not survive in a free page.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON",
    }
    # A file in tests too: SQLite in memory locks whole tables and knows no waiting.
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    _database["CONN_HEALTH_CHECKS"] = True
# Opening SQLite anew costs more than most requests do, PostgreSQL far more.
_database.setdefault("CONN_MAX_AGE", 60)
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The attempt budgets of staff sign-in live in the cache: it must be shared by all web processes.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}}
if _redis := secret("CACHE_URL", ""):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _redis}}

# --- Language and time ------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
FORMAT_MODULE_PATH = ["portal.formats"]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Vienna")

# --- People -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.staff.RoleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk:domains"
ACCOUNT_ADAPTER = "accounts.staff.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "accounts.staff.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers themselves allow passkeys without it on localhost only
MFA_TOTP_ISSUER = f"Umzug {PROVIDER_NAME}"
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

# Staff pages open from these networks only; none named: from everywhere.
try:
    STAFF_NETWORKS = [ip_network(text) for text in env.list("STAFF_NETWORKS", default=[])]
except ValueError as error:
    raise ImproperlyConfigured(f"PORTAL_STAFF_NETWORKS must be like 192.0.2.0/24,2001:db8::/48: {error}.") from error

# Owner sessions: idle and whole life, in seconds. The mailed password stays valid after either.
OWNER_IDLE_SECONDS = 15 * 60
OWNER_SESSION_SECONDS = 60 * 60

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_NAME = "__Host-sid" if HTTPS else "sid"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "accounts.views.csrf_failure"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

# --- Headers ----------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": browsers then send "Origin: null" with our own forms, and Django refuses them (Fetch, §3.1).
# Other hosts learn nothing either way.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for the portal's host only: its subdomains are not ours to decide for
    "security.W008",  # the TLS proxy redirects; the health probe speaks plain http inside
    "security.W021",  # browsers' preload lists are the provider's decision
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_500  # the admin's list posts one field a row
FILE_UPLOAD_MAX_MEMORY_SIZE = 21 * 1024 * 1024  # an import file stays in memory: it holds hashes and is never kept

# --- Static files -----------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = env.bool("STATIC_FROM_SOURCE", default=False)
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
# The strength meter is built by `make meter`, which needs npm; without it the password page has none.
STATICFILES_DIRS = [folder for folder in (BASE_DIR / "static", BASE_DIR / "build" / "static") if folder.is_dir()]
if not WHITENOISE_USE_FINDERS:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# --- Celery: a doorbell, never the truth (the outbox rows are) --------------------------------------------------------

CELERY_BROKER_URL = secret("BROKER_URL", "filesystem://localhost")
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 35.0
# A push is three calls of MAILCOW_CALL_SECONDS each; the worker itself stops taking new ones long before.
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 330
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
_EVERY_SWEEP: dict[str, Any] = {"schedule": float(SWEEP_SECONDS), "options": {"expires": SWEEP_SECONDS}}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "migration.sweep", **_EVERY_SWEEP},
    "plans": {"task": "migration.carry_out_plans", **_EVERY_SWEEP},
    # Each domain is asked every ten minutes at most, however often this rings.
    "logins": {"task": "migration.poll_logins", "schedule": 300.0, "options": {"expires": 300}},
    "bounces": {"task": "migration.poll_bounces", "schedule": 300.0, "options": {"expires": 300}},
    "bans": {"task": "migration.poll_bans", "schedule": 300.0, "options": {"expires": 300}},
    # At night, Vienna and UTC alike; a run that was missed is made up for by the next.
    "retention": {"task": "accounts.retention", "schedule": crontab(hour=2, minute=20), "options": {"expires": 3600}},
}
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(DATA_DIR / "broker" / "queue"),
        "data_folder_out": str(DATA_DIR / "broker" / "queue"),
        "control_folder": str(DATA_DIR / "broker" / "control"),
        "polling_interval": 0.2,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 900,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
    }

# --- Logs -------------------------------------------------------------------------------------------------------------

LOGGING_CONFIG = None
LOG_FORMAT = one_of("LOG_FORMAT", "json", "json", "console")
configure_logging(style=LOG_FORMAT, level=one_of("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR"))
