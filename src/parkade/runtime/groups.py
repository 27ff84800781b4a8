"""Equal instances: those of a variant, or the copies of an inference component."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.blueprint import Blueprint, Component
    from parkade.domain.catalog import Container, Model, Variant

#: An asynchronous invocation may take up to an hour (InvocationTimeoutSeconds), and a while more.
_ASYNCHRONOUS = timedelta(seconds=3600 + 10)

#: From the start of a serverless variant's worker to its first good /ping (SageMaker: 3 minutes).
_SERVERLESS_STARTUP = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What its instances are, and how many are wanted."""

    #: The variant's, or the component's.
    name: str
    variant_name: str
    component_name: str = ""
    #: Workers of one instance, one for each container of its model.
    size: int
    #: Tells what each of them runs; may raise what the store raises.
    container: Callable[[int], Container]
    #: Instances.
    count: int
    #: None: the host's own patience.
    download: timedelta | None = None
    startup: timedelta | None = None
    #: How long a worker may compute without an answer to a ping; None: the host's own patience.
    silence: timedelta | None = None


def of_blueprint(blueprint: Blueprint) -> tuple[Group, ...]:
    """Return a group for each variant, shadows included; none where components are hosted."""
    if blueprint.config.hosts_components:
        return ()
    silence = None if blueprint.config.asynchronous is None else _ASYNCHRONOUS
    return tuple(
        _of_variant(variant, blueprint.model(variant.model_name), silence)
        for variant in blueprint.config.every
    )


def _of_variant(variant: Variant, model: Model, silence: timedelta | None) -> Group:
    return Group(
        name=variant.name,
        variant_name=variant.name,
        size=len(model.containers),
        container=model.containers.__getitem__,
        # One worker takes what a serverless variant takes at a time.
        count=1 if variant.serverless else variant.instance_count,
        download=_seconds(variant.download_timeout),
        startup=_seconds(variant.startup_timeout)
        or (_SERVERLESS_STARTUP if variant.serverless else None),
        silence=silence,
    )


def of_component(component: Component) -> tuple[Group, ...]:
    """Return the group of the component's copies."""
    return (
        Group(
            name=component.name,
            variant_name=component.variant_name,
            component_name=component.name,
            size=len(component.model.containers),
            container=component.model.containers.__getitem__,
            count=component.copies,
            download=_seconds(component.download_timeout),
            startup=_seconds(component.startup_timeout),
        ),
    )


def emptied(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Return the groups with nothing wanted of them."""
    return tuple(replace(group, count=0) for group in groups)


def workers(groups: tuple[Group, ...]) -> int:
    """Return how many workers the groups want."""
    return sum(group.count * group.size for group in groups)


def larger(some: tuple[Group, ...], others: tuple[Group, ...]) -> tuple[Group, ...]:
    """Return, of two states of the same groups, whichever of each has more instances."""
    return tuple(
        max(pair, key=lambda group: group.count) for pair in zip(some, others, strict=True)
    )


def _seconds(given: int | None) -> timedelta | None:
    return None if given is None else timedelta(seconds=given)
