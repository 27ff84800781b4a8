"""What the apps of the control process are built on; `wiring` names the concrete classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    from parkade.apps.api.broadcast import Broadcast
    from parkade.apps.api.schemas.scaling import CapacityView, CountView
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
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Event, Json
    from parkade.domain.token import Token
    from parkade.ports.catalog import CatalogStore, Listing
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import Inventory
    from parkade.ports.metrics import MetricStore
    from parkade.ports.objects import Objects
    from parkade.runtime.backlog import Backlog, BacklogView
    from parkade.runtime.host import Host
    from parkade.runtime.views import InstanceStatus
    from parkade.services.alarms import Alarms
    from parkade.services.audit import Audit
    from parkade.services.executions import Executions
    from parkade.services.meter import Meter
    from parkade.services.metrics import Metrics
    from parkade.services.routes import Routes
    from parkade.services.sweep import Sweep
    from parkade.services.targets import Targets
    from parkade.services.tokens import Tokens
    from parkade.services.undo import Undo


class Workshop(Protocol):
    """Makes and removes models and endpoint configs when people say so."""

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound or Unreadable."""
        ...

    def models(self) -> Listing[Model]:
        """Return every model in the order of names, and why others cannot be read."""
        ...

    def create_model(self, model: Model, actor: str) -> None:
        """Make the model. Raises AlreadyExists, and InvalidInput for what cannot be run."""
        ...

    def delete_model(self, name: str, actor: str) -> None:
        """Remove the model. Raises ModelNotFound."""
        ...

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound or Unreadable."""
        ...

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names, and why others cannot be read."""
        ...

    def create_config(self, config: EndpointConfig, actor: str) -> None:
        """Make the endpoint config. Raises AlreadyExists, ModelNotFound and InvalidInput."""
        ...

    def delete_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config. Raises ConfigNotFound, and InUse while an endpoint has it."""
        ...


class Scaled(Protocol):
    """One look at how many there are of what."""

    def counts(self, endpoint_name: str) -> list[CountView]:
        """Return how many there are of each variant, or inference component, of an endpoint."""
        ...

    def capacities(self, endpoint_name: str) -> list[CapacityView]:
        """Return how each of them is scaled, or that it is not."""
        ...


class Sights(Protocol):
    """What is to be seen of single endpoints beside what hosting says of all."""

    def traffic(self, endpoint_name: str) -> Traffic:
        """Return its requests of the last seconds; nothing where that is not known so soon."""
        ...

    def backlog(self, endpoint_name: str) -> BacklogView:
        """Return the asynchronous requests that wait for it."""
        ...

    def instances(self, endpoint_name: str) -> Sequence[InstanceStatus]:
        """Return its instances, where they are told apart. Raises EndpointNotFound."""
        ...

    def logs(self, endpoint_name: str) -> tuple[Path, ...]:
        """Return the files that its instances wrote, newest last.

        Raises Conflict where they are elsewhere, and says where.
        """
        ...

    def scaled(self) -> Scaled:
        """Look at how many there are of what."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the management API is built on, whichever cloud it speaks for."""

    #: Whether callers need tokens.
    auth: bool
    #: The clock of leases; it may run faster than real time.
    clock: Clock
    #: Real time: token expiry, executions.
    wall: Clock
    history: History
    hosting: Hosting
    #: What there is of models, endpoint configs and endpoints, and their tags.
    inventory: Inventory
    workshop: Workshop
    sights: Sights
    meter: Meter
    sweep: Sweep
    #: Terms, the maintainer, undo.
    upkeep: Upkeep
    #: Sleep and wake.
    waking: Slumber
    #: Deployments, carried out in the background.
    deploying: Deploying
    undo: Undo
    #: Looks for what is left over, missing, or paid for by nobody.
    audit: Callable[[], Audit]
    #: Prices, what is spent, budgets.
    money: Money
    objects: Objects
    #: What was measured, to be asked for and added to.
    metrics: Metrics
    metric_store: MetricStore
    #: The alarms that there are, and why some cannot be evaluated, by name.
    alarm_book: Alarms
    alarm_troubles: Callable[[], Mapping[str, str]]
    #: Seconds of the lease clock in one of real time.
    time_scale: float
    tokens: Tokens
    #: An event in EventBridge's shape.
    envelope: Callable[[Event], Mapping[str, Json]]
    broadcast: Broadcast
    #: The settings file as last read.
    file: Callable[[], ServerFile]
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
    #: Who everybody is, where that is known by other means than tokens; None: tokens say it.
    caller: Token | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(Shared):
    """Everything that the apps of the control process are built on, embedded."""

    settings: Settings
    paths: StatePaths
    #: What token hashes, and the AWS access keys of tokens, are made with.
    server_key: bytes
    host: Host
    #: What the host remembers; the tags of all that it runs.
    catalog: CatalogStore
    #: Parts of objects that are still on their way.
    parts: Objects
    #: Serving projects: planned, applied, destroyed.
    projecting: Projecting
    #: Testers, and their runs.
    testing: Testing
    #: Subscribers, their letters, links that extend.
    outbox: Outgoing
    #: Measurements, and how endpoints are used.
    monitor: Monitoring
    #: Alarms on measurements, and queries of them.
    alarms: Alarming
    #: What is scaled, and how.
    scaling: Autoscaling
    routes: Routes
    executions: Executions
    #: Asynchronous invocations that were accepted.
    backlog: Backlog
    traffic: Callable[[str], Traffic]
    #: What people asked for about target models.
    targets: Targets
    #: Where target models are loaded.
    many: Many
    #: Reads the settings file again; returns the names of what changed.
    reload: Callable[[], list[str]]


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
