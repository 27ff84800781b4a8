"""The payload of a deployment: JSON in the seed's words, read into an order and written again.

What is left out has its default; a key that is not known is refused by its name, since one that is
misspelt would silently not be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import lease
from parkade.domain.deploy import capturing, policies, queueing, staging, variants
from parkade.domain.deploy.order import (
    ENVIRONMENT,
    TRACKING,
    Aspect,
    Order,
    VariantScaling,
    patience,
)
from parkade.domain.deploy.reading import Section
from parkade.domain.event import in_minutes
from parkade.domain.terms import Sleep, Wake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.catalog import Variant
    from parkade.domain.event import Json

_LEAST, _MOST = "autoscalingMinCapacity", "autoscalingMaxCapacity"
_POLICY = "targetTrackingScalingPolicyConfiguration"
_SCALING_KEYS = frozenset({_LEAST, _MOST, _POLICY})
_KEYS = _SCALING_KEYS | {
    "endpointName", "scaling", "keepsCounts", "minutes", "revives", "owner", "metered",
    "environment", "tags", "strategy", "maxWaitMinutes", "sleep", "wake", variants.PRODUCTION,
    variants.SHADOW, capturing.KEY, queueing.KEY,
}  # fmt: skip
#: By its key, what an order may speak of: left out it stays as it is, null is none of it.
_ASPECTS = {
    capturing.KEY: Aspect.CAPTURE,
    queueing.KEY: Aspect.ASYNCHRONOUS,
    variants.SHADOW: Aspect.SHADOWS,
}
_SLEEP_KEYS = frozenset({"after_minutes", "pauses", "hold_seconds"})
_WAKE_KEYS = frozenset({"minutes", "at_most_minutes"})


def read(given: object) -> Order:
    """Return the order. Raises InvalidInput, which names the key and what is wrong with it."""
    top = Section(given, "", _KEYS)
    warnings: list[str] = []
    production = variants.read(top, variants.PRODUCTION, warnings)
    scaling = _scaling(top, production)
    _warn_of_counts(production, scaling, warnings)
    strategy = staging.read(top, "strategy")
    waits = top.minutes("maxWaitMinutes") if top.has("maxWaitMinutes") else patience(strategy)
    return Order(
        endpoint_name=top.text("endpointName"),
        variants=production,
        shadows=variants.read(top, variants.SHADOW, warnings) if top.has(variants.SHADOW) else (),
        capture=capturing.read(top) if top.has(capturing.KEY) else None,
        asynchronous=queueing.read(top) if top.has(queueing.KEY) else None,
        speaks_of=tuple(aspect for key, aspect in _ASPECTS.items() if top.holds(key)),
        scaling=scaling,
        environment=top.text("environment", ENVIRONMENT),
        tags=top.texts_by_key("tags"),
        metered=top.flag("metered", default=True),
        amount=lease.minutes(top.value("minutes")) if top.has("minutes") else None,
        revives=top.flag("revives", default=True),
        keeps_counts=top.flag("keepsCounts", default=True),
        owner=top.text("owner", ""),
        strategy=strategy,
        sleep=_sleep(top) if top.has("sleep") else None,
        wake=_wake(top) if top.has("wake") else None,
        max_wait=waits,
        warnings=tuple(warnings),
    )


def _scaling(top: Section, production: Sequence[Variant]) -> dict[str, VariantScaling | None]:
    """Return the scaling of each variant: as given for all, or for it by its name."""
    common: dict[str, VariantScaling | None] = {}
    if any(top.has(key) for key in _SCALING_KEYS):
        for_all = _bounds(top, None)
        common = {each.name: for_all for each in production if each.serverless is None}
    own: dict[str, VariantScaling | None] = {}
    for name, entry in top.entries("scaling").items():
        if entry is None:
            own[name] = None
        else:
            place = Section(entry, f"scaling.{name}", _SCALING_KEYS)
            own[name] = _bounds(place, common.get(name))
    return {**common, **own}


def _bounds(given: Section, common: VariantScaling | None) -> VariantScaling:
    tracking = common.tracking if common else TRACKING
    return VariantScaling(
        least=given.whole(_LEAST, common.least if common else None),
        most=given.whole(_MOST, common.most if common else None),
        tracking=policies.read(given, _POLICY) if given.has(_POLICY) else tracking,
    )


def _warn_of_counts(
    production: Sequence[Variant],
    scaling: Mapping[str, VariantScaling | None],
    warnings: list[str],
) -> None:
    for each in production:
        bounds = scaling.get(each.name)
        if (
            bounds is not None
            and max(1, bounds.clamped(each.instance_count)) != each.instance_count
        ):
            warnings.append(
                f"variant {each.name}: InitialInstanceCount {each.instance_count} is not within "
                f"{bounds.least} to {bounds.most}; it begins with "
                f"{max(1, bounds.clamped(each.instance_count))}"
            )


def _sleep(top: Section) -> Sleep:
    given = top.section("sleep", _SLEEP_KEYS)
    return Sleep(
        after=given.minutes("after_minutes"),
        pauses=given.flag("pauses", default=False),
        hold=given.seconds("hold_seconds"),
    )


def _wake(top: Section) -> Wake:
    given = top.section("wake", _WAKE_KEYS)
    return Wake(minutes=given.minutes("minutes"), at_most=given.minutes("at_most_minutes"))


def written(order: Order) -> dict[str, Json]:
    """Write an order as a payload with all that was left out of it; reading it gives the order."""
    told: dict[str, Json] = {
        "endpointName": order.endpoint_name,
        variants.PRODUCTION: [variants.written(each) for each in order.variants],
        **_written_aspects(order),
        "scaling": {
            name: None if each is None else written_scaling(each)
            for name, each in order.scaling.items()
        },
        "environment": order.environment,
        "tags": dict(order.tags),
        "metered": order.metered,
        "revives": order.revives,
        "keepsCounts": order.keeps_counts,
        "strategy": staging.written(order.strategy),
        "maxWaitMinutes": in_minutes(order.max_wait),
    }
    if order.amount is not None:
        told["minutes"] = in_minutes(order.amount)
    if order.owner:
        told["owner"] = order.owner
    if order.sleep is not None:
        told["sleep"] = order.sleep.written()
    if order.wake is not None:
        told["wake"] = order.wake.written()
    return told


def _written_aspects(order: Order) -> dict[str, Json]:
    told: dict[Aspect, Json] = {
        Aspect.CAPTURE: capturing.written(order.capture) if order.capture else None,
        Aspect.ASYNCHRONOUS: (queueing.written(order.asynchronous) if order.asynchronous else None),
        Aspect.SHADOWS: [variants.written(each) for each in order.shadows] or None,
    }
    return {key: told[aspect] for key, aspect in _ASPECTS.items() if aspect in order.speaks_of}


def written_scaling(scaling: VariantScaling) -> dict[str, Json]:
    """Write the scaling of a variant as a payload has it."""
    return {
        _LEAST: scaling.least,
        _MOST: scaling.most,
        _POLICY: policies.written(scaling.tracking),
    }
