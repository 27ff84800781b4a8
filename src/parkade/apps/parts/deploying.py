"""The deployer, and what it is wired to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.services.deployer import Deployer
from parkade.services.deploying.desk import Desk
from parkade.services.deploying.rehearsing import Rehearsing
from parkade.services.deploying.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from parkade.apps.parts.money import Money
    from parkade.apps.parts.stores import Stores
    from parkade.apps.serverfile import ServerFile
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.notices import Notices
    from parkade.ports.provisioner import Provisioner
    from parkade.ports.scalingbook import ScalingBook
    from parkade.services.meter import Meter
    from parkade.services.runners import Carrier
    from parkade.services.terms import TermsBook
    from parkade.services.waking import Waking


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the deployer works with."""

    stores: Stores
    provisioner: Provisioner
    history: History
    notices: Notices
    clock: Clock
    meter: Meter
    terms: TermsBook
    waking: Waking
    scaling: ScalingBook
    money: Money
    file: Callable[[], ServerFile]
    spawn: Callable[[Coroutine[object, object, object]], None]
    changed: Callable[[], None]
    #: Carries deployments out; None: tasks of this process do.
    carrier: Carrier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploying:
    """The services of this area."""

    deployer: Deployer
    #: Takes updates to their end, or back, however they were begun.
    steering: Steering
    #: What its steps work with, as others do who change endpoints beside it.
    desk: Desk


def build(ports: Ports) -> Deploying:
    """Build the services of this area."""
    desk = Desk(
        deployments=ports.stores.deployments,
        provisioner=ports.provisioner,
        meter=ports.meter,
        bookings=ports.stores.bookings,
        terms=ports.terms,
        waking=ports.waking,
        scaling=ports.scaling,
        history=ports.history,
        notices=ports.notices,
        clock=ports.clock,
        leases_only=lambda: ports.file().unmetered == "refuse",
    )
    rehearsing = Rehearsing(
        desk,
        prices=ports.money.prices,
        budgets=ports.money.budgets,
        usual=lambda: timedelta(minutes=ports.file().initial_provision_minutes),
    )
    deployer = Deployer(
        desk, rehearsing=rehearsing, spawn=ports.spawn, changed=ports.changed, carrier=ports.carrier
    )
    return Deploying(deployer=deployer, steering=Steering(desk, deployer), desk=desk)
