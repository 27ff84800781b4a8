"""All that the control process has for multi-model endpoints, put together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.control.targets import GatewayBoard, TargetDesk
from parkade.runtime import environments, views
from parkade.runtime.placement import Placement
from parkade.runtime.shelves import Place
from parkade.runtime.targetwatch import TargetRules, TargetWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from parkade.apps.sections.hosting import MultiModel
    from parkade.apps.serverfile import ServerFile
    from parkade.ports.clock import Clock
    from parkade.runtime.environments import Halt, ScriptCommand
    from parkade.runtime.host import Host
    from parkade.runtime.premises import Container
    from parkade.runtime.targetdata import TargetData
    from parkade.services.targets import Targets


class Many:
    """Placement with its gateways, and the watch over what is loaded."""

    def __init__(
        self, host: Host, placement: Placement, desk: TargetDesk, watch: TargetWatch
    ) -> None:
        self.placement = placement
        self.desk = desk
        self._host = host
        self._watch = watch
        self._begun = False

    @classmethod
    def of(
        cls,
        host: Host,
        data: TargetData,
        targets: Targets,
        clock: Clock,
        *,
        say: Callable[[str, dict[str, Any]], None],
        file: Callable[[], ServerFile],
    ) -> Many:
        """Put it together."""
        board = GatewayBoard(say, lambda: file().limits.model_seconds)
        placement = Placement(data, board, clock, setting=targets.of)
        watch = TargetWatch(
            placement,
            data,
            clock,
            rules=lambda: _rules(file().multi_model),
            settings=targets.all,
            prefixes=lambda: _prefixes(host),
        )
        return cls(host, placement, TargetDesk(placement, board, say), watch)

    async def begin(self) -> None:
        """Take up what is loaded, once the host knows what runs; from then on serve gateways."""
        await self.placement.start(_places(self._host))
        self._begun = True
        self.desk.open()

    async def run(self) -> None:
        """Look after what is loaded."""
        await self._watch.run()

    def settle(self) -> None:
        """Know that instances may have come or gone."""
        if self._begun:
            self.placement.settle(_places(self._host))

    async def close(self) -> None:
        """Let go; what is loaded stays loaded."""
        self._begun = False
        await self.placement.close()


def _places(host: Host) -> list[Place]:
    """Return the instances that answer and take many models."""
    return [
        Place(
            instance_id=instance.id,
            endpoint_name=name,
            variant_name=instance.component_name or instance.variant_name,
            generation=instance.generation,
            address=instance.addresses[0],
            prefix=instance.container.data_url,
            caches=instance.container.caches,
        )
        for name, fleet in host.fleets().items()
        for instance in views.workers(fleet)
        if instance.container is not None and instance.container.multi_model
    ]


def _prefixes(host: Host) -> set[str]:
    """Return where the target models of all endpoints lie that there are."""
    models = [
        model
        for each in host.descriptions().values()
        for blueprint in (each.recorded.blueprint, each.recorded.target)
        if blueprint is not None
        for model in blueprint.models
    ]
    models += [each.recorded.component.model for each in host.components().values()]
    return {model.primary.data_url for model in models if model.primary.multi_model}


def _rules(section: MultiModel) -> TargetRules:
    idle = section.idle_minutes
    return TargetRules(
        removed=timedelta(seconds=section.removed_seconds),
        idle=None if idle is None else timedelta(minutes=idle),
    )


def bounded(limit: Callable[[], int]) -> Container:
    """Return how the container of many models is started, with its limit of memory."""

    def command(
        model_dir: Path, *, cache: Path, log: Path, halt: Halt, environment: Mapping[str, str]
    ) -> ScriptCommand:
        made = environments.multi_command(
            model_dir, cache=cache, log=log, halt=halt, environment=environment
        )
        words = [*made.argv_prefix, "--memory-bytes", str(limit())]
        return replace(made, argv_prefix=words)

    return command
