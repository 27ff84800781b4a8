"""The stores on DynamoDB that the contract suites run on, in tables of an account at moto."""

from functools import partial
from types import SimpleNamespace

from parkade.adapters.aws.dynamodb.stores import DynamoStores
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.system.clock import SystemClock
from parkade.domain.endpoint import EndpointStatus
from parkade.ports.remains import remains_of
from tests.aws_account import tables

#: The contract suites of the stores that there are on DynamoDB.
ON_DYNAMODB = frozenset(
    {
        "test_bookings", "test_budgets", "test_deployments", "test_events", "test_leases", "test_remains",
        "test_terms", "test_tokens", "test_watches",
    }
)  # fmt: skip
#: The stores that they ask for.
_NAMES = (
    "history", "book", "bookings", "budgets", "deployments", "remains", "terms", "watches",
)  # fmt: skip


def on_dynamodb(account):
    """All stores that there are on DynamoDB, on one history, in new tables."""
    table, tokens_table = tables(account)
    stores = DynamoStores(table, SystemClock())
    tear = partial(_tear, table)
    return SimpleNamespace(
        table=table,
        tokens_table=tokens_table,
        **{name: getattr(stores, name) for name in _NAMES},
        tokens=DynamoTokenStore(tokens_table, stores.history),
        catalog=_Endpoints(stores),
        damage=partial(tear, "lease"),
        damage_booking=partial(tear, "booking"),
        damage_budget=partial(tear, "budget"),
        damage_deployment=partial(tear, "deployment"),
        damage_terms=partial(tear, "terms"),
        damage_watch=partial(tear, "watch"),
    )


class _Endpoints:
    """Keeps what is left of endpoints, as hosting on SageMaker does where it deletes them."""

    def __init__(self, stores):
        self._stores = stores
        self.put_tags = stores.tags.put_tags

    def put_endpoint(self, endpoint, event):
        if endpoint.status is EndpointStatus.DELETING:
            tags = self._stores.tags.tags("endpoint", endpoint.name)
            self._stores.remains.put(remains_of(endpoint, tags))
        self._stores.history.append(event)

    def remove_endpoint(self, _name, event):
        self._stores.history.append(event)


def _tear(table, kind, key):
    """Let the content of an item be torn, and keep all else of it."""
    held = table.get(kind, key)
    beside = {name: value for name, value in held.items() if name not in {"pk", "sk"}}
    table.write([table.change.put((kind, key), {**beside, "content": "{"})])
