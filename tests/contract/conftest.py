from collections.abc import Iterator

import pytest

from migration.mailcow.client import Client
from sandbox.mailcow import MailcowStandIn


@pytest.fixture
def client(mailcow: MailcowStandIn) -> Iterator[Client]:
    with Client(mailcow.url, mailcow.api_key) as client:
        yield client
