"""The audit of an account: what is left over, missing, or paid for by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.ports.catalog import Listing
from parkade.services.audit import Audit, Tools
from parkade.services.surveying import Sources, Surveyor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from parkade.apps.assembly import Shared
    from parkade.apps.cloud.hosting import SageMaker
    from parkade.domain.alarm import Alarm


def of(services: Shared, maker: SageMaker) -> Audit:
    """Return the audit; what one machine alone has, projects and processes, an account has not."""
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
        alarms=lambda: known(services.alarm_book.all()),
        scaled=maker.scaling.targets,
        policies=maker.scaling.policies,
        deployments=services.deploying.deployer.all,
        projects=_none,
        applications=_none,
        routes=tuple,
        targets=tuple,
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
        scaling=maker.scaling,
        shelves=services.workshop,
        forget_target=_forget_target,
        end_workers=_end_workers,
    )
    return Audit(Surveyor(sources), tools)


def known(alarms: Listing[Alarm]) -> Listing[Alarm]:
    """Return those alarms that there are words for; others are nobody's damage.

    An account's alarms are of many kinds, which are no matter of endpoints.
    """
    return Listing(alarms.records, {})


def _none() -> Listing[Any]:
    return Listing((), {})


def _nothing() -> Mapping[str, Any]:
    return {}


def _forget_target(endpoint_name: str, target: str, actor: str) -> None:
    """Do nothing: nothing is asked for about target models, so none was found."""


async def _end_workers(instance_ids: Collection[str]) -> None:
    """Do nothing: no worker is of this process, so none was found."""
