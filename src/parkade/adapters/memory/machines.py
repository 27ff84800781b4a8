"""What endpoints run on, as told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import ConfigNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.cost import Instance
    from parkade.domain.price import Machine


class MemoryMachines:
    """The machines port. What runs is in `instances`, what components run on in `hosts`."""

    def __init__(self, configs: Mapping[str, Sequence[Machine]] | None = None) -> None:
        self.configs = dict(configs or {})
        #: What an endpoint runs on that differs from its config, by name.
        self.running: dict[str, Sequence[Machine]] = {}
        self.instances: list[Instance] = []
        self.hosts: dict[tuple[str, str], str] = {}

    def wanted(self, endpoint_name: str, config_name: str) -> Sequence[Machine]:
        """Return what the endpoint runs on, or would with this config."""
        if endpoint_name in self.running:
            return self.running[endpoint_name]
        if config_name not in self.configs:
            raise ConfigNotFound(f"no endpoint config has the name {config_name!r}")
        return self.configs[config_name]

    def present(self) -> Sequence[Instance]:
        """Return every instance that exists."""
        return list(self.instances)

    def host_of(self, endpoint_name: str, name: str) -> str:
        """Return the variant that a component runs on, or the variant itself."""
        return self.hosts.get((endpoint_name, name), name)
