"""What is left over when an endpoint goes: the config and models that nothing else uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from parkade.domain.catalog import EndpointConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOver:
    """Names of what nothing uses any more."""

    configs: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def words(self) -> str:
        """Say it for people; empty where there is nothing."""
        parts = [f"endpoint config {name}" for name in self.configs]
        parts += [f"model {name}" for name in self.models]
        return ", ".join(parts)


def left_over(
    config_name: str, configs: Mapping[str, EndpointConfig], used: Collection[str]
) -> LeftOver:
    """Return what is left of an endpoint of this config; `used` names the configs in use."""
    config = configs.get(config_name)
    if config is None or config_name in used:
        return LeftOver(configs=(), models=())
    elsewhere = {
        variant.model_name
        for name, each in configs.items()
        if name != config_name
        for variant in each.every
    }
    models = {variant.model_name for variant in config.every} - elsewhere - {""}
    return LeftOver(configs=(config_name,), models=tuple(sorted(models)))
