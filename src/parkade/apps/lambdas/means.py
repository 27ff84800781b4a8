"""What functions are built on, each made from what it was told when it was deployed.

Nothing here asks anybody before it is needed, and imports stay with who needs them: the authorizer
has to know nothing of SageMaker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.shape import MAIN, TOKENS
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.aws.secrets import server_key as read_key
from parkade.adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from parkade.apps.settings import FunctionSettings
    from parkade.ports.clock import Clock


def account(settings: FunctionSettings) -> Account:
    """Return the account that the function runs in."""
    return Account(region=settings.region)


def clock() -> Clock:
    """Return real time."""
    return SystemClock()


def main_table(settings: FunctionSettings, account: Account) -> Table:
    """Return the table of all but tokens."""
    return Table(account, settings.table, MAIN)


def tokens(settings: FunctionSettings, account: Account) -> DynamoTokenStore:
    """Return the tokens; what is done with them is told in the main table."""
    history = DynamoHistory(main_table(settings, account), clock())
    return DynamoTokenStore(Table(account, settings.tokens_table, TOKENS), history)


def known_tokens(settings: FunctionSettings, account: Account) -> DynamoTokenStore:
    """Return the tokens for who only reads them, and was told of no other table."""
    table = Table(account, settings.tokens_table, TOKENS)
    return DynamoTokenStore(table, DynamoHistory(table, clock()))


def server_key(settings: FunctionSettings, account: Account) -> bytes:
    """Return the key that tokens are hashed with, which is read once a process."""
    return read_key(account, settings.server_key)
