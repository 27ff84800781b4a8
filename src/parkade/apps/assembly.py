"""What the apps of the control process are built on; `wiring` names the concrete classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from parkade.apps.api.broadcast import Broadcast
    from parkade.apps.control.many import Many
    from parkade.apps.control.traffic import Traffic
    from parkade.apps.parts.alarms import Alarming
    from parkade.apps.parts.deploying import Deploying
    from parkade.apps.parts.money import Money
    from parkade.apps.parts.monitor import Monitoring
    from parkade.apps.parts.outbox import Outgoing
    from parkade.apps.parts.projects import Projecting
    from parkade.apps.parts.scaling import Autoscaling
    from parkade.apps.parts.testing import Testing
    from parkade.apps.parts.upkeep import Upkeep
    from parkade.apps.parts.waking import Slumber
    from parkade.apps.serverfile import ServerFile
    from parkade.apps.settings import Settings
    from parkade.apps.statefolder import StatePaths
    from parkade.ports.catalog import CatalogStore
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.objects import Objects
    from parkade.runtime.backlog import Backlog
    from parkade.runtime.host import Host
    from parkade.services.executions import Executions
    from parkade.services.meter import Meter
    from parkade.services.routes import Routes
    from parkade.services.sweep import Sweep
    from parkade.services.targets import Targets
    from parkade.services.tokens import Tokens
    from parkade.services.undo import Undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the apps of the control process are built on."""

    settings: Settings
    paths: StatePaths
    #: What token hashes, and the AWS access keys of tokens, are made with.
    server_key: bytes
    #: The clock of leases; it may run faster than real time.
    clock: Clock
    #: Real time: token expiry, executions.
    wall: Clock
    history: History
    hosting: Hosting
    host: Host
    #: What the host remembers; the tags of all that it runs.
    catalog: CatalogStore
    objects: Objects
    #: Parts of objects that are still on their way.
    parts: Objects
    meter: Meter
    sweep: Sweep
    #: Terms, the maintainer, undo.
    upkeep: Upkeep
    #: Sleep and wake.
    waking: Slumber
    #: Deployments, carried out in the background.
    deploying: Deploying
    #: Serving projects: planned, applied, destroyed.
    projecting: Projecting
    #: Testers, and their runs.
    testing: Testing
    undo: Undo
    #: Subscribers, their letters, links that extend.
    outbox: Outgoing
    #: Measurements, and how endpoints are used.
    monitor: Monitoring
    #: Alarms on measurements, and queries of them.
    alarms: Alarming
    #: What is scaled, and how.
    scaling: Autoscaling
    #: Prices, what is spent, budgets.
    money: Money
    tokens: Tokens
    routes: Routes
    executions: Executions
    #: Asynchronous invocations that were accepted.
    backlog: Backlog
    broadcast: Broadcast
    traffic: Callable[[str], Traffic]
    #: What people asked for about target models.
    targets: Targets
    #: Where target models are loaded.
    many: Many
    #: The settings file as last read.
    file: Callable[[], ServerFile]
    #: Reads the settings file again; returns the names of what changed.
    reload: Callable[[], list[str]]
    #: Empty once invocations are served; before that, what is waited for.
    ready: Callable[[], str]
    #: Returns once every gateway routes by what is true now, or after a second.
    settled: Callable[[], Awaitable[None]]
    #: Tells sweep, gateways and event streams that something changed.
    changed: Callable[[], None]
    #: Runs a task in the background, for as long as the process lives.
    spawn: Callable[[Coroutine[object, object, object]], None]
    #: Lets go of files; the last thing a process does.
    close: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What the services tell the control process they live in, and ask of it."""

    changed: Callable[[], None]
    released: Callable[[], Awaitable[None]]
    ready: Callable[[], str]
    spawn: Callable[[Coroutine[object, object, object]], None]
    inside: Callable[[], str]
    #: Sends a message to the gateway of this name.
    say: Callable[[str, dict[str, Any]], None]
