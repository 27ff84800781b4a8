"""Serving projects, their keepers, and what they are wired to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.parts import projectendpoints
from parkade.services.project import Projects
from parkade.services.projects.alarms import AlarmKeeper
from parkade.services.projects.budgets import BudgetKeeper
from parkade.services.projects.desk import Desk
from parkade.services.projects.keepers import Keepers
from parkade.services.projects.routes import RouteKeeper
from parkade.services.projects.subscribers import SubscriberKeeper
from parkade.services.projects.testers import TesterKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from parkade.apps.parts.alarms import Alarming
    from parkade.apps.parts.deploying import Deploying
    from parkade.apps.parts.money import Money
    from parkade.apps.parts.outbox import Outgoing
    from parkade.apps.parts.stores import OwnStores
    from parkade.apps.parts.testing import Testing
    from parkade.apps.parts.upkeep import Upkeep
    from parkade.apps.serverfile import ServerFile
    from parkade.ports.catalog import CatalogStore
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.notices import Notices
    from parkade.ports.objects import Objects
    from parkade.runtime.host import Host
    from parkade.services.projects.keeper import Keeper
    from parkade.services.routes import Routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What projects and their keepers work with."""

    stores: OwnStores
    history: History
    notices: Notices
    clock: Clock
    host: Host
    catalog: CatalogStore
    objects: Objects
    upkeep: Upkeep
    deploying: Deploying
    alarms: Alarming
    outbox: Outgoing
    money: Money
    routes: Routes
    testing: Testing
    file: Callable[[], ServerFile]
    spawn: Callable[[Coroutine[object, object, object]], None]
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projecting:
    """The services of this area."""

    projects: Projects
    keepers: Keepers


def build(ports: Ports) -> Projecting:
    """Build the services of this area."""
    store = ports.stores.projects
    keepers = Keepers((*projectendpoints.keepers(ports, store), *_keepers(ports)))
    desk = Desk(
        store=store,
        keepers=keepers,
        history=ports.history,
        notices=ports.notices,
        clock=ports.clock,
    )
    return Projecting(
        projects=Projects(desk, spawn=ports.spawn, changed=ports.changed), keepers=keepers
    )


def _keepers(ports: Ports) -> Sequence[Keeper]:
    """Return who keeps which kind of part; a kind that nobody keeps is refused by its name."""
    return (
        BudgetKeeper(ports.money.budgets),
        SubscriberKeeper(ports.outbox.subscribers, mail=lambda: ports.file().mail is not None),
        AlarmKeeper(
            ports.alarms.book,
            clock=ports.clock,
            trouble=lambda name: ports.alarms.watch.troubles.get(name, ""),
        ),
        RouteKeeper(ports.routes),
        TesterKeeper(ports.testing.testers),
    )
