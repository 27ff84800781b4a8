"""What an account gives to work with: found from a command line, or told to a function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Protocol

from parkade.adapters.aws.dynamodb.prices import DynamoPriceLists
from parkade.adapters.aws.dynamodb.shape import MAIN, TOKENS
from parkade.adapters.aws.dynamodb.stores import DynamoStores
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.aws.nudging import Nudge
from parkade.adapters.aws.secrets import server_key
from parkade.adapters.aws.stepfunctions import Machine
from parkade.adapters.folder.prices import FolderPriceLists
from parkade.adapters.system.clock import SystemClock
from parkade.apps.cloud.callers import caller
from parkade.apps.cloud.carrying import MachineCarrier
from parkade.apps.cloud.hosting import Memory
from parkade.apps.cloud.parameters import Shared, parameter_name
from parkade.apps.cloud.unmetered import NoTokens, UnmeteredStores
from parkade.apps.parts.stores import Stores
from parkade.apps.serverfile import ServerFile, server_file
from parkade.domain.errors import Conflict, InvalidInput
from parkade.ports.remains import RemainsKeeper, RemainsStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.apps.cloud.deployed import Deployed
    from parkade.apps.settings import FunctionSettings
    from parkade.apps.statefolder import StatePaths
    from parkade.domain.token import Token
    from parkade.ports.clock import Clock
    from parkade.ports.prices import PriceLists
    from parkade.ports.tokens import TokenStore
    from parkade.services.runners import Carrier


#: What to do about settings that are not those of this version.
_TOGETHER = "deploy the Meter again with this version: parkade cloud deploy MeterStack"


class Remaining(RemainsStore, RemainsKeeper, Protocol):
    """What is left of endpoints, read by whoever undoes and written by whoever stops."""


class CloudStores(Stores, Memory, Protocol):
    """What is kept of leases, and what is remembered of endpoints."""

    @property
    def remains(self) -> Remaining:
        """What is left of endpoints that went."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the services of an account are built on."""

    account: Account
    stores: CloudStores
    tokens: TokenStore
    #: What tokens are hashed with. Raises what `calling` raises.
    key: Callable[[], bytes]
    lists: PriceLists
    clock: Clock
    file: ServerFile
    #: Tells the events of this table from those of all others.
    source_id: str
    #: Has the sweep look, because something has changed. Raises nothing.
    changed: Callable[[], None]
    #: Runs a task in the background.
    spawn: Callable[[Coroutine[object, object, object]], None]
    #: Carries deployments out; None: tasks of this process do.
    carrier: Carrier | None = None
    #: Who everybody is; None: tokens say it.
    caller: Token | None = None

    @classmethod
    def of_account(
        cls,
        account: Account,
        deployed: Deployed | None,
        *,
        paths: StatePaths,
        spawn: Callable[[Coroutine[object, object, object]], None],
    ) -> Means:
        """Return what a command line has: the caller's own rights, and the stacks there are."""
        clock = SystemClock()
        told = (lambda _: "") if deployed is None else deployed.value
        stores: CloudStores = UnmeteredStores(account.region)
        lists: PriceLists = FolderPriceLists(paths.prices)
        if table := told(Shared.TABLE):
            stores = DynamoStores(Table(account, table, MAIN), clock)
            lists = DynamoPriceLists(stores.history)
        tokens: TokenStore = NoTokens(account.region)
        if (table := told(Shared.TOKENS)) and isinstance(stores, DynamoStores):
            tokens = DynamoTokenStore(Table(account, table, TOKENS), stores.history)
        sweep, arn = told(Shared.SWEEP_NAME), told(Shared.SERVER_KEY)
        return cls(
            account=account,
            stores=stores,
            tokens=tokens,
            key=partial(server_key, account, arn) if arn else partial(_no_key, account.region),
            lists=lists,
            clock=clock,
            file=_settings(account.region, deployed),
            source_id=told(Shared.TABLE),
            changed=Nudge(account, sweep) if sweep else _nothing,
            spawn=spawn,
            caller=caller(account, clock.now()),
        )

    @classmethod
    def of_function(cls, account: Account, settings: FunctionSettings) -> Means:
        """Return what a function has, which was told where everything is."""
        clock = SystemClock()
        stores = DynamoStores(Table(account, settings.table, MAIN), clock)
        return cls(
            account=account,
            stores=stores,
            tokens=DynamoTokenStore(Table(account, settings.tokens_table, TOKENS), stores.history),
            key=partial(server_key, account, settings.server_key),
            lists=DynamoPriceLists(stores.history),
            clock=clock,
            file=_file(account.region, settings.server, "PARKADE_SETTINGS"),
            source_id=settings.table,
            changed=Nudge(account, settings.sweep) if settings.sweep else _nothing,
            spawn=_no_task,
            carrier=MachineCarrier(Machine(account, settings.deployer), clock),
        )


def _settings(region: str, deployed: Deployed | None) -> ServerFile:
    """Return the settings by which the stacks decide; the defaults where there are none."""
    text = "" if deployed is None else deployed.value(Shared.SETTINGS)
    if deployed is None or not text:
        return ServerFile(region=region)
    place = parameter_name(deployed.prefix, Shared.SETTINGS)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{place} is not JSON: {error}", field=place, hint=_TOGETHER) from error
    if not isinstance(content, dict):
        raise InvalidInput(f"{place} is no JSON object", field=place, hint=_TOGETHER)
    return _file(region, content, place)


def _file(region: str, content: Mapping[str, object], place: str) -> ServerFile:
    return server_file({"region": region, **content}, place, field=place, hint=_TOGETHER)


def _no_task(task: Coroutine[object, object, object]) -> NoReturn:
    """Refuse it: what goes on after the answer, Lambda freezes."""
    task.close()
    raise AssertionError("a function has no background")


def _nothing() -> None:
    """Tell nobody: there is no sweep."""


def _no_key(region: str) -> bytes:
    raise Conflict(
        f"this account has no key to hash tokens with in region {region}",
        hint="deploy the Meter and the API: parkade cloud deploy MeterStack APIStack",
    )
