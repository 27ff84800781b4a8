"""How a command reaches the server that the environment and the state folder point at.

Of an AWS account there is no server: the same API runs in this process, over the account.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from parkade.apps import settings
from parkade.apps.cli import clouds, unknown
from parkade.apps.cli.client import Client, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def connect() -> Iterator[Client]:
    """Give a client of the server; nothing is sent yet. Unknown names are told from misspelt ones."""
    choice = clouds.chosen()
    with _aws(choice) if choice.cloud is clouds.Cloud.AWS else _server() as client:
        try:
            yield client
        except Refused as refusal:
            raise unknown.advised(client, refusal) from refusal


@contextmanager
def _server() -> Iterator[Client]:
    with Client(settings.client_settings(settings.state_paths())) as client:
        yield client


@contextmanager
def _aws(choice: clouds.Choice) -> Iterator[Client]:
    # The application takes a while to load; who asks a server need not wait for it.
    from parkade.apps.cli import account  # noqa: PLC0415

    with account.client(choice) as client:
        yield client
