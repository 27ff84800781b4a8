"""How a command reaches the server that the environment and the state folder point at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from parkade.apps import settings
from parkade.apps.cli import unknown
from parkade.apps.cli.client import Client, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def connect() -> Iterator[Client]:
    """Give a client of the server; nothing is sent yet. Unknown names are told from misspelt ones."""
    with Client(settings.client_settings(settings.state_paths())) as client:
        try:
            yield client
        except Refused as refusal:
            raise unknown.advised(client, refusal) from refusal
