"""The embedded host, and where it keeps what it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.control.many import bounded
from parkade.apps.hostrules import host_rules
from parkade.apps.identity import state_id
from parkade.runtime import environments, images
from parkade.runtime.host import Host
from parkade.runtime.rules import HostPaths

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.assembly import Signals
    from parkade.apps.serverfile import ServerFile
    from parkade.apps.settings import Settings
    from parkade.domain.alarm import State
    from parkade.ports.catalog import CatalogStore, RecordedInstance
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.objects import Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the host works with."""

    settings: Settings
    catalog: CatalogStore
    objects: Objects
    history: History
    clock: Clock
    signals: Signals
    file: Callable[[], ServerFile]


def build(
    ports: Ports,
    *,
    alarm: Callable[[str], State],
    arrived: Callable[[RecordedInstance, float], None],
) -> Host:
    """Build it; `alarm` tells the state of an alarm, `arrived` hears how long instances took."""
    settings, signals = ports.settings, ports.signals
    paths = settings.paths
    return Host(
        ports.catalog,
        ports.objects,
        ports.history,
        ports.clock,
        HostPaths(
            models=paths.models,
            work=paths.work,
            logs=paths.logs / "endpoints",
            sockets=paths.sockets,
            cache=settings.cache,
        ),
        host_rules(ports.file()),
        state_id=state_id(paths),
        base_environment=dict(settings.worker_environment),
        changed=signals.changed,
        released=signals.released,
        containers={
            images.SCRIPT: environments.script_command,
            images.MULTI: bounded(lambda: ports.file().multi_model.memory_bytes),
        },
        alarm=alarm,
        arrived=arrived,
    )
