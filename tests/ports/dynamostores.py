"""The stores on DynamoDB that the contract suites run on, in tables of an account at moto."""

from types import SimpleNamespace

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.system.clock import SystemClock
from tests.aws_account import tables

#: The contract suites of the stores that there are on DynamoDB.
ON_DYNAMODB = frozenset({"test_events"})


def on_dynamodb(account):
    """All stores that there are on DynamoDB, on one history, in new tables."""
    table, tokens_table = tables(account)
    history = DynamoHistory(table, SystemClock())
    return SimpleNamespace(
        table=table,
        tokens_table=tokens_table,
        history=history,
    )
