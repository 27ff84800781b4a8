"""What endpoints run on, as the embedded host has it.

Copies of inference components are no instances: they share those of their variant, which the
embedded host does not run as processes. These are counted from the first sight of the endpoint, or
from its oldest copy, so that what this machine did not run while it was off costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.cost import Instance
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ComponentNotFound, EndpointNotFound, Unreadable
from parkade.domain.price import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from parkade.domain.catalog import EndpointConfig, Variant
    from parkade.ports.catalog import RecordedEndpoint
    from parkade.ports.clock import Clock
    from parkade.runtime.host import Host
    from parkade.runtime.views import InstanceStatus


class EmbeddedMachines:
    """The machines port over the embedded host; for its event loop only."""

    def __init__(self, host: Host, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        #: Configs of the generations that were seen, by endpoint: what an update leaves behind
        #: still runs for a while.
        self._seen: dict[str, dict[int, EndpointConfig]] = {}
        #: When the instances of variants that host components were first seen, by id.
        self._since: dict[str, datetime] = {}

    def wanted(self, endpoint_name: str, config_name: str) -> Sequence[Machine]:
        """Return what the endpoint runs on, or would with this config."""
        try:
            config = self._host.description(endpoint_name).recorded.blueprint.config
        except EndpointNotFound:
            config = self._host.config(config_name)
        return [
            Machine(
                variant_name=each.name,
                instance_type=each.instance_type,
                count=each.instance_count,
                serverless=each.serverless is not None,
            )
            for each in config.every
        ]

    def present(self) -> Sequence[Instance]:
        """Return every instance that exists."""
        names = list(self._host.observed())
        found = [each for name in names for each in self._of(name)]
        ids = {each.id for each in found}
        self._since = {id: since for id, since in self._since.items() if id in ids}  # noqa: A001
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
        return found

    def host_of(self, endpoint_name: str, name: str) -> str:
        """Return the variant that a component runs on, or the variant itself."""
        try:
            component = self._host.component(name).recorded.component
        except (ComponentNotFound, Unreadable):
            return name
        return component.variant_name if component.endpoint_name == endpoint_name else name

    def _of(self, endpoint_name: str) -> Iterator[Instance]:
        statuses = self._host.instances(endpoint_name)
        recorded: RecordedEndpoint | None
        try:
            recorded = self._host.description(endpoint_name).recorded
        except Unreadable:
            recorded = None  # its workers run, and cost what nobody can tell
        else:
            self._note(recorded, {each.generation for each in statuses})
        yield from self._workers(endpoint_name, statuses)
        if recorded is not None:
            # What is asleep has let go of them; what falls asleep has not yet.
            asleep = recorded.asleep and recorded.status is EndpointStatus.IN_SERVICE
            for config, generation in _configs(recorded):
                if config.hosts_components and not asleep:
                    yield from self._hosting(endpoint_name, config, generation, statuses)

    def _workers(
        self, endpoint_name: str, statuses: Sequence[InstanceStatus]
    ) -> Iterator[Instance]:
        generations = self._seen.get(endpoint_name, {})
        told: set[str] = set()
        for each in statuses:
            name = each.instance or each.id
            if each.component_name or name in told:
                continue  # a copy, or another container of an instance
            told.add(name)
            newest = generations[max(generations)] if generations else None
            config = generations.get(each.generation, newest)
            variant = _variant(config, each.variant_name)
            yield Instance(
                id=name,
                endpoint_name=endpoint_name,
                variant_name=each.variant_name,
                instance_type=variant.instance_type if variant else "",
                started_at=each.started_at,
                serverless=variant is not None and variant.serverless is not None,
                config_name=config.name if config else "",
                generation=each.generation,
            )

    def _hosting(
        self,
        endpoint_name: str,
        config: EndpointConfig,
        generation: int,
        statuses: Sequence[InstanceStatus],
    ) -> Iterator[Instance]:
        for variant in config.every:
            copies = [each.started_at for each in statuses if each.variant_name == variant.name]
            for number in range(variant.instance_count):
                id = f"{endpoint_name}/{variant.name}/{generation}/{number}"  # noqa: A001
                since = self._since.setdefault(id, min([self._clock.now(), *copies]))
                yield Instance(
                    id=id,
                    endpoint_name=endpoint_name,
                    variant_name=variant.name,
                    instance_type=variant.instance_type,
                    started_at=since,
                    config_name=config.name,
                    generation=generation,
                )

    def _note(self, recorded: RecordedEndpoint, running: set[int]) -> None:
        """Remember what the generations are that run, or are about to."""
        seen = self._seen.get(recorded.name, {})
        kept = {number: config for number, config in seen.items() if number in running}
        known = {generation: config for config, generation in _configs(recorded)}
        self._seen[recorded.name] = {**kept, **known}


def _variant(config: EndpointConfig | None, name: str) -> Variant | None:
    return next((each for each in config.every if each.name == name), None) if config else None


def _configs(recorded: RecordedEndpoint) -> Iterator[tuple[EndpointConfig, int]]:
    """Return what runs, and what is being brought up beside it, with their generations."""
    yield recorded.blueprint.config, recorded.generation
    if recorded.target is not None and recorded.target_generation != recorded.generation:
        yield recorded.target.config, recorded.target_generation
