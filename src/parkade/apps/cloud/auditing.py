"""The audit of an account: what is left over, missing, or paid for by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.ports.catalog import Listing
from parkade.services.audit import Audit, Tools
from parkade.services.surveying import Sources, Surveyor
from parkade.services.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from parkade.apps.assembly import Shared
    from parkade.apps.cloud.hosting import SageMaker
    from parkade.apps.cloud.means import CloudStores


def of(services: Shared, maker: SageMaker, stores: CloudStores) -> Audit:
    """Return the audit; what one machine alone has, projects and processes, an account has not."""
    targets = Targets(stores.targets, clock=services.wall)
    sources = Sources(
        clock=services.clock,
        wall=services.wall,
        leases=services.meter.all,
        hosting=services.hosting,
        catalog=services.inventory,
        objects=services.objects,
        remains=services.upkeep.remains,
        watches=services.upkeep.watches,
        bookings=services.upkeep.bookings.all,
        alarms=services.alarm_book.all,
        scaled=maker.scaling.targets,
        policies=maker.scaling.policies,
        deployments=services.deploying.deployer.all,
        projects=_none,
        applications=_none,
        routes=tuple,
        targets=targets.all,
        deliveries=_nothing,
        unreadable_subscribers=_nothing,
        processes=tuple,
        machines=services.money.machines,
        prices=services.money.prices,
    )
    tools = Tools(
        clock=services.clock,
        history=services.history,
        catalog=services.inventory,
        watches=services.upkeep.watches,
        alarms=services.alarm_book,
        targets=targets,
        scaling=maker.scaling,
        shelves=services.workshop,
        end_workers=_end_workers,
    )
    return Audit(Surveyor(sources), tools)


def _none() -> Listing[Any]:
    return Listing((), {})


def _nothing() -> Mapping[str, Any]:
    return {}


async def _end_workers(instance_ids: Collection[str]) -> None:
    """Do nothing: no worker is of this process, so none was found."""
