"""The stores on DynamoDB that the contract suites run on, in tables of an account at moto."""

from functools import partial
from types import SimpleNamespace

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.leases import DynamoLeaseBook
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.system.clock import SystemClock
from tests.aws_account import tables

#: The contract suites of the stores that there are on DynamoDB.
ON_DYNAMODB = frozenset({"test_events", "test_leases", "test_tokens"})


def on_dynamodb(account):
    """All stores that there are on DynamoDB, on one history, in new tables."""
    table, tokens_table = tables(account)
    history = DynamoHistory(table, SystemClock())
    return SimpleNamespace(
        table=table,
        tokens_table=tokens_table,
        history=history,
        book=DynamoLeaseBook(history),
        damage=partial(_damage_lease, table),
        tokens=DynamoTokenStore(tokens_table, history),
    )


def _damage_lease(table, name):
    """Let the lease's content be torn, and keep its place in the index."""
    item = {key: value for key, value in table.get("lease", name).items() if key not in {"pk", "sk"}}
    table.write([table.change.put(("lease", name), {**item, "content": "{"})])
