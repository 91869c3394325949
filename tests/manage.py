"""manage.py with the settings of a test run, or with `--production` with settings as an operator sets them."""

import os
import sys

if "--production" in sys.argv:
    sys.argv.remove("--production")
    os.environ |= {
        "PORTAL_BASE_URL": "https://umzug.provider.example",
        "PORTAL_SECRET_KEY": "z9$kQ2vLw8!xTn4bRj7^mYc1pGd6&hFs3@eUa5*oWi0(qZt-and-long-enough",
        "PORTAL_STATIC_FROM_SOURCE": "0",
        "PORTAL_TRUSTED_PROXY_COUNT": "1",
    }

from django.core.management import execute_from_command_line

from . import environment  # noqa: F401 - fills in what is not set yet, before Django reads it

execute_from_command_line(["manage.py", *sys.argv[1:]])
