"""Names the concrete classes of an AWS account: builds the services of the management API over it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parkade.adapters.aws.cloudwatch.alarms import CloudWatchAlarms
from parkade.adapters.aws.cloudwatch.metrics import CloudWatchMetrics
from parkade.adapters.aws.cloudwatch.usage import CloudWatchUsage
from parkade.adapters.aws.s3.objects import S3Objects
from parkade.apps.api.broadcast import Broadcast
from parkade.apps.assembly import Shared
from parkade.apps.cloud import auditing, hosting
from parkade.apps.cloud.sights import AccountSights
from parkade.apps.cloud.workshop import AccountWorkshop
from parkade.apps.parts import deploying as deployments
from parkade.apps.parts import money as spending
from parkade.apps.parts import upkeep as upkeeping
from parkade.apps.parts import waking as slumber
from parkade.domain import eventbridge
from parkade.domain.eventbridge import Origin
from parkade.services.alarms import Alarms
from parkade.services.lookback import Lookback
from parkade.services.meter import Meter
from parkade.services.metrics import Metrics
from parkade.services.notices import RecordedNotices
from parkade.services.sweep import Sweep
from parkade.services.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.cloud.means import Means
    from parkade.apps.serverfile import ServerFile
    from parkade.domain.event import Event, Json
    from parkade.domain.lease import LeaseRules


def build(means: Means) -> Shared:
    """Build the services. Nobody is asked anything before they are."""
    account, stores, clock, changed = means.account, means.stores, means.clock, means.changed
    history, book = stores.history, stores.book
    maker = hosting.build(account, stores, clock)
    notices = RecordedNotices(history)
    look = Lookback(stores.terms, stores.watches)
    usage = CloudWatchUsage(account, maker.subjects, clock, look=look)

    def file() -> ServerFile:
        return means.file

    def rules() -> LeaseRules:
        return means.file.lease_rules()

    money = spending.build(
        spending.Ports(
            stores=stores,
            book=book,
            history=history,
            notices=notices,
            machines=maker.machines,
            lists=means.lists,
            clock=clock,
            file=file,
            rules=rules,
            bookings=lambda now: upkeep.bookings.ahead(now),  # noqa: PLW0108  it is made below
            changed=changed,
        )
    )
    kept = upkeeping.Ports(
        stores=stores,
        catalog=maker.inventory,
        book=book,
        hosting=maker.hosting,
        history=history,
        notices=notices,
        clock=clock,
        usage=usage,
        file=file,
        rules=rules,
        changed=changed,
        admit=money.budgets.admit,
        reserve=money.budgets.reserve,
        at_once=lambda: money.budgets.at_once().admit,
        budgets=money.budgets,
    )
    upkeep = upkeeping.build(kept)
    meter = Meter(
        book=book,
        hosting=maker.hosting,
        clock=clock,
        rules=rules,
        changed=changed,
        leaving=upkeep.leaving,
        admit=money.budgets.admit,
    )
    waking = slumber.build(
        slumber.Ports(
            stores=stores,
            book=book,
            hosting=maker.hosting,
            terms=upkeep.terms,
            usage=usage,
            clock=clock,
            refusal=upkeep.affording.refusal,
            hourly=lambda name, config: money.prices.hourly(money.machines.wanted(name, config)),
            changed=changed,
        )
    )
    deploying = deployments.build(
        deployments.Ports(
            stores=stores,
            provisioner=maker.provisioner,
            history=history,
            notices=notices,
            clock=clock,
            meter=meter,
            terms=upkeep.terms,
            waking=waking.asks,
            scaling=maker.scaling,
            money=money,
            file=file,
            spawn=means.spawn,
            changed=changed,
            carrier=means.carrier,
        )
    )
    metric_store = CloudWatchMetrics(account, clock)

    def envelope(event: Event) -> Mapping[str, Json]:
        origin = Origin(account=account.number(), region=account.region, source_id=means.source_id)
        return eventbridge.rendered(event, origin)

    services = Shared(
        auth=True,
        caller=means.caller,
        clock=clock,
        wall=clock,
        history=history,
        hosting=maker.hosting,
        inventory=maker.inventory,
        objects=S3Objects(account),
        metrics=Metrics(metric_store),
        metric_store=metric_store,
        alarm_book=Alarms(CloudWatchAlarms(account, history), clock=clock),
        alarm_troubles=dict,
        time_scale=1.0,
        workshop=AccountWorkshop(maker.inventory, maker.models, maker.provisioner),
        sights=AccountSights(maker.capacity.all, account.region),
        meter=meter,
        sweep=Sweep(
            book=book,
            hosting=maker.hosting,
            history=history,
            notices=notices,
            clock=clock,
            rules=rules,
            idling=upkeep.idling,
            paying=upkeep.paying,
            around=upkeep.around,
        ),
        upkeep=upkeep,
        waking=waking,
        deploying=deploying,
        undo=upkeeping.undo(kept, upkeep, meter),
        audit=lambda: auditing.of(services, maker),
        money=money,
        tokens=Tokens(means.tokens, clock=clock, key=means.key),
        envelope=envelope,
        broadcast=Broadcast(),
        file=file,
        ready=lambda: "",
        settled=_settled,
        changed=changed,
        spawn=means.spawn,
        close=stores.close,
    )
    return services


async def _settled() -> None:
    """Wait for nobody: SageMaker serves what it says it serves."""
    await asyncio.sleep(0)
