"""What all fleets of a host share: its store, folders, rules, containers, and word to outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkade.domain.errors import AlarmNotFound
from parkade.domain.event import HOST, Event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from parkade.domain.alarm import State
    from parkade.domain.event import Json
    from parkade.ports.catalog import CatalogStore, RecordedInstance
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.runtime.addresses import Ports
    from parkade.runtime.environments import Halt, ScriptCommand
    from parkade.runtime.modeldata import ModelData
    from parkade.runtime.rules import HostPaths, HostRules
    from parkade.runtime.standbys import Standbys


class Container(Protocol):
    """A kind of container: how its program is started for a model."""

    def __call__(
        self,
        model_dir: Path,
        *,
        cache: Path,
        log: Path,
        halt: Halt,
        environment: Mapping[str, str],
    ) -> ScriptCommand:
        """Return the command, `--socket PATH --model-dir DIR` to be appended to it.

        `environment` is the model's. Blocking, until it is halted; may build what the model
        requires, and tells of it in the log. Raises StartFailed.
        """
        ...


def no_alarm(name: str) -> State:
    """Know of no alarm."""
    raise AlarmNotFound(f"there is no alarm {name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Handed by the host to each of its fleets."""

    store: CatalogStore
    #: For what happens to workers; changes of endpoints are told by the store.
    history: History
    clock: Clock
    paths: HostPaths
    #: The rules as they are now.
    rules: Callable[[], HostRules]
    #: Container kinds by name; image names lead to them, see `images`.
    containers: Mapping[str, Container]
    data: ModelData
    #: Processes that can become workers.
    standbys: Standbys
    #: Of workers that answer on TCP ports.
    ports: Ports
    #: Marks the processes of this state.
    state_id: str
    #: What workers inherit, of which only the harmless is taken.
    base_environment: Mapping[str, str]
    #: To be called after every change that can be seen from outside.
    changed: Callable[[], None]
    #: Returns once no gateway sends anything to an instance that was taken out before.
    released: Callable[[], Awaitable[None]]
    #: Hears of each worker that was started: its record, and the seconds to its first good answer.
    arrived: Callable[[RecordedInstance, float], None] = lambda *_: None
    #: Tells what an alarm says now. Raises AlarmNotFound or Unreadable.
    alarm: Callable[[str], State] = no_alarm

    def event(
        self, kind: str, endpoint_name: str, reason: str, actor: str = HOST, **data: Json
    ) -> Event:
        """Make an event of this instant."""
        return Event(
            at=self.clock.now(),
            kind=kind,
            actor=actor,
            reason=reason,
            endpoint_name=endpoint_name,
            data=data,
        )
