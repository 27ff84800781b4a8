"""The endpoint config of a deployment: what is in it, and its name, which comes of that.

The same content has the same name, so that nothing is made twice and nothing has to be renamed by
hand. Content is what would run: variants with their counts and weights, and the very models.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from parkade.domain.catalog import EndpointConfig, Variant
from parkade.domain.deploy.order import Aspect
from parkade.domain.errors import InvalidInput
from parkade.domain.names import NAME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import Model
    from parkade.domain.deploy.order import Order

#: Hexadecimal digits of the content's fingerprint.
_DIGITS = 10


def wanted_config(
    order: Order, models: Iterable[Model], former: Blueprint | None, now: datetime
) -> EndpointConfig:
    """Return the endpoint config that is to serve, by its name. Raises InvalidInput."""
    config = replace(wanted_content(order, former.config if former else None), created_at=now)
    require_bounds(order, config)
    name = config_name(order.endpoint_name, config, models)
    if former is not None and name == former.config.name:
        # It ran once, and weights or counts were changed since: nothing is updated to itself.
        name = config_name(order.endpoint_name, config, models, beside=name)
    return replace(config, name=name)


def wanted_content(order: Order, former: EndpointConfig | None) -> EndpointConfig:
    """Return what is in the endpoint config that is to serve; its name and instant are none.

    Variants that run keep their counts, by name, within the bounds that are ordered; unless it is
    said that those without scaling do not. What an order
    does not speak of stays as it is: shadow variants, data capture, asynchronous inference. Raises
    InvalidInput.
    """
    live = counts_in(former) if former else {}

    def counted(variants: Iterable[Variant]) -> tuple[Variant, ...]:
        return tuple(
            replace(each, instance_count=wanted_count(order, each, live.get(each.name)))
            for each in variants
        )

    captures, queues = Aspect.CAPTURE in order.speaks_of, Aspect.ASYNCHRONOUS in order.speaks_of
    return EndpointConfig(
        name=order.endpoint_name,
        variants=counted(order.variants),
        created_at=datetime.min.replace(tzinfo=UTC),
        shadows=counted(wanted_shadows(order, former)),
        capture=former.capture if former and not captures else order.capture,
        asynchronous=former.asynchronous if former and not queues else order.asynchronous,
        extras=former.extras if former else {},
    )


def wanted_shadows(order: Order, former: EndpointConfig | None) -> tuple[Variant, ...]:
    """Return the shadow variants: as ordered, or those that there are.

    Raises InvalidInput where these do not go together with the variants that are ordered.
    """
    if former is None or Aspect.SHADOWS in order.speaks_of:
        return order.shadows
    kept, names = former.shadows, {variant.name for variant in order.variants}
    if kept and (len(names) > 1 or kept[0].name in names):
        raise InvalidInput(
            f"endpoint {order.endpoint_name!r} has the shadow variant {kept[0].name!r}, which does "
            f"not go together with {', '.join(sorted(names))}",
            field="ShadowProductionVariants",
            hint='end the shadow test: give "ShadowProductionVariants": null',
        )
    return kept


def require_bounds(order: Order, config: EndpointConfig) -> None:
    """Raise InvalidInput for scaling to fewer instances than such an endpoint has at least."""
    for name, scaling in order.scaling.items():
        if scaling is not None and scaling.least < config.fewest:
            raise InvalidInput(
                f"autoscalingMinCapacity {scaling.least} of variant {name!r} is less than "
                f"{config.fewest}",
                field="autoscalingMinCapacity",
                hint="asynchronous endpoints alone scale to 0; others sleep: give `sleep`",
            )


def wanted_count(order: Order, variant: Variant, live: int | None) -> int:
    """Return how many instances a variant begins with: mostly as many as it has, within its bounds."""
    scaling = order.scaling.get(variant.name)
    keeps = order.keeps_counts or scaling is not None
    count = live if live is not None and keeps else variant.instance_count
    # Even where it has none at the moment: no config begins with none.
    return max(1, count if scaling is None else scaling.clamped(count))


def counts_of(blueprint: Blueprint) -> Mapping[str, int]:
    """Return the instances of each variant that runs, but for those that are serverless."""
    return counts_in(blueprint.config)


def counts_in(config: EndpointConfig) -> Mapping[str, int]:
    """Return the instances of each variant, but for those that are serverless."""
    return {
        variant.name: variant.instance_count
        for variant in config.every
        if variant.serverless is None
    }


def config_name(
    endpoint_name: str, config: EndpointConfig, models: Iterable[Model], *, beside: str = ""
) -> str:
    """Return the name of a config with this content: at most 63 characters.

    `beside` is a name of that content which it is not to have.
    """
    content = asdict(config) | {"beside": beside}
    del content["name"], content["created_at"]
    # A model that was made anew under its name is another one.
    content["models"] = sorted((model.name, model.created_at) for model in models)
    told = json.dumps(content, sort_keys=True, default=_written)
    fingerprint = hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
    stem = endpoint_name[: NAME_LIMIT - _DIGITS - 1].rstrip("-")
    return f"{stem}-{fingerprint}"


def alike(one: EndpointConfig, other: EndpointConfig) -> bool:
    """Tell whether two configs say the same, whatever they are called and whenever they were made."""
    return one == replace(other, name=one.name, created_at=one.created_at)


def runs(blueprint: Blueprint, config: EndpointConfig, models: Iterable[Model]) -> bool:
    """Tell whether a blueprint runs what the config says, models included, already."""
    made = {model.name: model.created_at for model in blueprint.models}
    return alike(blueprint.config, config) and made == {
        model.name: model.created_at for model in models
    }


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in an endpoint config")
