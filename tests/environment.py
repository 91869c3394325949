"""Loaded by pytest before Django's settings: the environment of a test run.

What is already set wins, so `python -m tests.servers` can put PostgreSQL and Valkey in place.
"""

import os
import tempfile

_KEY = "dGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGU="

_DEFAULTS = {
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "PORTAL_SECRET_KEY": "tests only: long enough for Django's own check, and never used anywhere else",
    "PORTAL_KEY_RING": f"test:{_KEY}",
    "PORTAL_DATA_DIR": tempfile.mkdtemp(prefix="umzug-tests-"),
    "PORTAL_BASE_URL": "http://testserver",
    "PORTAL_STATIC_FROM_SOURCE": "1",
    "PORTAL_PROVIDER_PHONE": "+43 1 234 567",
    "PORTAL_PROVIDER_EMAIL": "support@provider.example",
    "PORTAL_SOURCE_MAIL_HOST": "alt.provider.example",
    "PORTAL_SOURCE_SMTP_SECURITY": "none",
    "PORTAL_MAILS_PER_MINUTE": "10000",
    "PORTAL_TARGET_MAIL_HOST": "mail.provider.example",
    "PORTAL_TARGET_WEBMAIL_URL": "https://webmail.provider.example/SOGo",
    "PORTAL_MAILCOW_URL": "http://127.0.0.1:9",
    "PORTAL_MAILCOW_API_KEY": "never-a-real-key",
    "PORTAL_LOG_FORMAT": "console",
}

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
