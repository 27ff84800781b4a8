"""Names the concrete classes: builds the services of the embedded cloud from the settings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.embedded.hosting import EmbeddedHosting
from parkade.adapters.embedded.invoker import GatewayInvoker
from parkade.adapters.embedded.machines import EmbeddedMachines
from parkade.adapters.embedded.provisioner import EmbeddedProvisioner
from parkade.adapters.folder.objects import FolderObjects
from parkade.adapters.folder.prices import FolderPriceLists
from parkade.adapters.folder.topics import FolderTopics
from parkade.adapters.sqlite.alarms import SqliteAlarmStore
from parkade.adapters.sqlite.backlog import SqliteBacklogStore
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.adapters.sqlite.stores import SqliteStores
from parkade.adapters.sqlite.tokens import SqliteTokenStore
from parkade.adapters.system.clock import SystemClock
from parkade.adapters.webhook.topics import WebhookTopics
from parkade.apps.api.sights import HostSights
from parkade.apps.assembly import Services
from parkade.apps.control.many import Many
from parkade.apps.hostrules import host_rules
from parkade.apps.identity import server_key, state_id
from parkade.apps.leaseclock import lease_clock, usage_seconds
from parkade.apps.parts import alarms as alarming
from parkade.apps.parts import audit as audits
from parkade.apps.parts import deploying as deployments
from parkade.apps.parts import hosts
from parkade.apps.parts import money as spending
from parkade.apps.parts import monitor as monitoring
from parkade.apps.parts import outbox as outboxing
from parkade.apps.parts import projects as projecting
from parkade.apps.parts import scaling as autoscaling
from parkade.apps.parts import testing as tests
from parkade.apps.parts import upkeep as upkeeping
from parkade.apps.parts import waking as slumber
from parkade.apps.parts.keptfiles import tell_missing
from parkade.apps.reloading import Current
from parkade.runtime.backlog import Backlog
from parkade.runtime.courier import Courier
from parkade.runtime.targetdata import TargetData
from parkade.services.executions import Executions
from parkade.services.meter import Meter
from parkade.services.routes import Routes
from parkade.services.sweep import Sweep
from parkade.services.targets import Targets
from parkade.services.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.api.broadcast import Broadcast
    from parkade.apps.assembly import Signals
    from parkade.apps.control.traffic import Traffic
    from parkade.apps.settings import Settings
    from parkade.domain.alarm import Alarm, Standing

logger = logging.getLogger(__name__)


def build(
    settings: Settings,
    *,
    traffic: Callable[[str], Traffic],
    broadcast: Broadcast,
    signals: Signals,
) -> Services:
    """Build the services of a control process. Raises what an unusable state folder gives."""
    paths = settings.paths
    current = Current(settings.read())
    key = server_key(paths)
    database = Database(paths.database)
    stores = SqliteStores(database, spend=paths.spend)
    history, book = stores.history, stores.book
    wall = SystemClock()
    clock = lease_clock(SqliteMeta(database), wall, settings.time_scale)
    objects = FolderObjects(paths.objects)

    catalog = SqliteCatalogStore(database)
    host = hosts.build(
        hosts.Ports(
            settings=settings,
            catalog=catalog,
            objects=objects,
            history=history,
            clock=clock,
            signals=signals,
            file=lambda: current.file,
        ),
        alarm=lambda name: alarms.book.get(name).standing.state,
        arrived=lambda record, seconds: monitor.collector.arrived(record, seconds),  # noqa: PLW0108  it is built later
    )
    targets = Targets(stores.targets, clock=wall)
    hosting = EmbeddedHosting(host)
    outgoing = outboxing.build(
        outboxing.Ports(
            settings=settings,
            stores=stores,
            history=history,
            book=book,
            clock=clock,
            wall=wall,
            server_key=key,
            state_id=state_id(paths),
            file=lambda: current.file,
        ),
        meter=lambda: meter,
        quotes=lambda: money.quotes,
    )

    topics = WebhookTopics(lambda: current.file.topics, FolderTopics(paths.topics, wall), wall)

    def backlogged(endpoint_name: str) -> None:
        scaling.loop.backlogged(endpoint_name)
        waking.asks.ask(endpoint_name, "an asynchronous request waits")

    backlog = Backlog(
        SqliteBacklogStore(database),
        objects,
        topics,
        history,
        wall,
        Courier(objects),
        fleets=host.fleets,
        region=lambda: current.file.region,
        observer=lambda: monitor.collector.asynchronous,
        wanted=backlogged,
    )
    many = Many.of(
        host,
        TargetData(
            objects,
            paths.targets,
            limit=lambda: current.file.limits.unpacked_bytes,
            loads=current.file.multi_model.loads,
        ),
        targets,
        wall,
        say=signals.say,
        file=lambda: current.file,
    )
    monitor = monitoring.build(
        monitoring.Ports(
            paths=paths,
            database=database,
            history=history,
            notices=outgoing.notices,
            clock=clock,
            host=host,
            scale=settings.time_scale,
            period=usage_seconds(settings.time_scale),
            backlog=backlog,
            placement=many.placement,
            file=lambda: current.file,
        )
    )

    def heard(alarm: Alarm, _before: Standing) -> None:
        host.heed(alarm)
        scaling.heard(alarm)

    alarms = alarming.build(
        alarming.Ports(
            alarms=SqliteAlarmStore(database),
            metrics=monitor.store,
            watches=stores.watches,
            history=history,
            clock=clock,
            topics=topics,
            file=lambda: current.file,
            scale=settings.time_scale,
            whole=lambda: monitor.collector.stored_until,
            heard=heard,
        )
    )
    scaling = autoscaling.build(
        autoscaling.Ports(
            database=database,
            catalog=catalog,
            host=host,
            clock=clock,
            alarms=alarms,
            monitor=monitor.collector,
            file=lambda: current.file,
        )
    )
    tell_missing(
        paths.spend,
        "what was spent",
        database=database,
        history=history,
        notices=outgoing.notices,
        clock=clock,
    )
    money = spending.build(
        spending.Ports(
            stores=stores,
            book=book,
            history=history,
            notices=outgoing.notices,
            machines=EmbeddedMachines(host, clock),
            lists=FolderPriceLists(paths.prices),
            clock=clock,
            file=lambda: current.file,
            rules=current.lease_rules,
            bookings=lambda now: upkeep.bookings.ahead(now),  # noqa: PLW0108  it is made below
            changed=signals.changed,
        )
    )
    monitor.collector.on_second(money.spending.second)
    kept = upkeeping.Ports(
        stores=stores,
        catalog=catalog,
        book=book,
        hosting=hosting,
        history=history,
        notices=outgoing.notices,
        clock=clock,
        usage=monitor.usage,
        file=lambda: current.file,
        rules=current.lease_rules,
        changed=signals.changed,
        admit=money.budgets.admit,
        reserve=money.budgets.reserve,
        at_once=lambda: money.budgets.at_once().admit,
        budgets=money.budgets,
    )
    upkeep = upkeeping.build(kept)
    waking = slumber.build(
        slumber.Ports(
            stores=stores,
            book=book,
            hosting=hosting,
            terms=upkeep.terms,
            usage=monitor.usage,
            clock=clock,
            refusal=upkeep.affording.refusal,
            hourly=lambda name, config: money.prices.hourly(money.machines.wanted(name, config)),
            changed=signals.changed,
        )
    )

    def reload() -> list[str]:
        fresh = settings.read()
        outboxing.subscribers_of(fresh)  # raises what is wrong with them before anything changes
        exchanged = current.exchange(fresh)
        host.configure(host_rules(current.file))
        outgoing.outbox.settle()
        signals.changed()
        return exchanged

    meter = Meter(
        book=book,
        hosting=hosting,
        clock=clock,
        rules=current.lease_rules,
        changed=signals.changed,
        leaving=upkeep.leaving,
        admit=money.budgets.admit,
    )

    deploying = deployments.build(
        deployments.Ports(
            stores=stores,
            provisioner=EmbeddedProvisioner(host, catalog, history, clock, signals.changed),
            history=history,
            notices=outgoing.notices,
            clock=clock,
            meter=meter,
            terms=upkeep.terms,
            waking=waking.asks,
            scaling=scaling.book,
            money=money,
            file=lambda: current.file,
            spawn=signals.spawn,
            changed=signals.changed,
        )
    )

    routes = Routes(stores.routes, clock=clock)
    testing = tests.build(
        tests.Ports(
            paths=paths,
            stores=stores,
            history=history,
            clock=clock,
            scale=settings.time_scale,
            objects=objects,
            metrics=monitor.store,
            usage=monitor.usage,
            routes=routes,
            book=book,
            hosting=hosting,
            upkeep=upkeep,
            inside=signals.inside,
            file=lambda: current.file,
            spawn=signals.spawn,
            changed=signals.changed,
        )
    )
    projects = projecting.build(
        projecting.Ports(
            stores=stores,
            history=history,
            notices=outgoing.notices,
            clock=clock,
            host=host,
            catalog=catalog,
            objects=objects,
            upkeep=upkeep,
            deploying=deploying,
            alarms=alarms,
            outbox=outgoing,
            money=money,
            routes=routes,
            testing=testing,
            file=lambda: current.file,
            spawn=signals.spawn,
            changed=signals.changed,
        )
    )

    def close() -> None:
        monitor.close()
        stores.close()

    services = Services(
        auth=settings.auth,
        settings=settings,
        paths=paths,
        server_key=key,
        clock=clock,
        wall=wall,
        history=history,
        hosting=hosting,
        inventory=catalog,
        workshop=host,
        metrics=monitor.metrics,
        metric_store=monitor.store,
        alarm_book=alarms.book,
        alarm_troubles=lambda: alarms.watch.troubles,
        time_scale=settings.time_scale,
        sights=HostSights(lambda: services),
        audit=lambda: audits.of(services),
        envelope=outgoing.envelope,
        host=host,
        catalog=catalog,
        objects=objects,
        parts=FolderObjects(paths.uploads),
        meter=meter,
        outbox=outgoing,
        upkeep=upkeep,
        waking=waking,
        deploying=deploying,
        projecting=projects,
        testing=testing,
        undo=upkeeping.undo(kept, upkeep, meter),
        monitor=monitor,
        alarms=alarms,
        scaling=scaling,
        money=money,
        sweep=Sweep(
            book=book,
            hosting=hosting,
            history=history,
            notices=outgoing.notices,
            clock=clock,
            rules=current.lease_rules,
            idling=upkeep.idling,
            paying=upkeep.paying,
            around=upkeep.around,
        ),
        tokens=Tokens(SqliteTokenStore(database), clock=wall, key=lambda: key),
        routes=routes,
        executions=Executions(
            stores.executions,
            GatewayInvoker(paths.gateway_socket, signals.inside),
            clock=wall,
        ),
        backlog=backlog,
        broadcast=broadcast,
        traffic=traffic,
        targets=targets,
        many=many,
        file=lambda: current.file,
        reload=reload,
        ready=signals.ready,
        settled=signals.released,
        changed=signals.changed,
        spawn=signals.spawn,
        close=close,
    )
    return services
