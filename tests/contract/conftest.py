"""A real mailcow is asked only where one is named; elsewhere those tests are not part of the run."""

import os

collect_ignore = [] if os.environ.get("TEST_MAILCOW_URL") else ["test_real_mailcow.py"]
