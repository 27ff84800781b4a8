"""The audit: what is left over, missing, or paid for by nobody."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from parkade.adapters.embedded import strays
from parkade.services.audit import Audit, Tools
from parkade.services.surveying import Sources, Surveyor

if TYPE_CHECKING:
    from parkade.apps.assembly import Services


def of(services: Services) -> Audit:
    """Return the audit of all that the services hold; it remembers nothing itself."""
    sources = Sources(
        clock=services.clock,
        wall=services.wall,
        leases=services.meter.all,
        hosting=services.hosting,
        catalog=services.catalog,
        objects=services.objects,
        remains=services.upkeep.remains,
        watches=services.upkeep.watches,
        bookings=services.upkeep.bookings.all,
        alarms=services.alarms.book.all,
        scaled=services.scaling.book.targets,
        policies=services.scaling.book.policies,
        deployments=services.deploying.deployer.all,
        projects=services.projecting.projects.all,
        applications=services.projecting.projects.applications,
        routes=services.routes.all,
        targets=services.targets.all,
        deliveries=services.outbox.subscribers.deliveries,
        unreadable_subscribers=services.outbox.subscribers.unreadable,
        processes=partial(strays.processes, services.host.state_id),
        machines=services.money.machines,
        prices=services.money.prices,
    )
    tools = Tools(
        clock=services.clock,
        history=services.history,
        catalog=services.catalog,
        watches=services.upkeep.watches,
        alarms=services.alarms.book,
        scaling=services.scaling.book,
        shelves=services.host,
        forget_target=services.targets.forget,
        end_workers=partial(strays.end, services.host.state_id),
    )
    return Audit(Surveyor(sources), tools)
