"""Strategies of a payload: how requests go over to the new fleet, read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion
from parkade.domain.rollout import Kind, Size, Strategy

if TYPE_CHECKING:
    from parkade.domain.deploy.reading import Section
    from parkade.domain.event import Json

#: By what a payload calls it.
_KINDS = {kind.value.lower(): kind for kind in Kind}
_KEYS = frozenset({
    "kind", "percent", "instances", "waitSeconds", "terminationWaitSeconds", "limitSeconds",
    "rollbackPercent", "rollbackInstances", "alarms",
})  # fmt: skip


def read(top: Section, key: str) -> Strategy:
    """Return the strategy at a key; where there is none, all at once. Raises InvalidInput."""
    if not top.has(key):
        return Strategy()
    given = top.section(key, _KEYS)
    kind, step = _kind(given), _size(given, "instances", "percent")
    if step is None and kind is not Kind.ALL_AT_ONCE:
        raise InvalidInput(
            f"{given.at('percent')} is missing: {kind.value.lower()} goes in steps",
            field=given.at("percent"),
            hint="give percent, or instances, of a step",
        )
    return Strategy(
        kind=kind,
        step=step,
        wait=given.seconds("waitSeconds"),
        termination_wait=given.seconds("terminationWaitSeconds"),
        limit=given.seconds("limitSeconds") if given.has("limitSeconds") else None,
        rollback_step=_size(given, "rollbackInstances", "rollbackPercent"),
        alarms=given.texts("alarms"),
    )


def _kind(given: Section) -> Kind:
    name = given.text("kind").lower()
    if name not in _KINDS:
        raise InvalidInput(
            f"{given.at('kind')} {name[:80]!r} is no strategy",
            field=given.at("kind"),
            hint=suggestion(name, _KINDS) or "give " + ", ".join(_KINDS),
        )
    return _KINDS[name]


def _size(given: Section, instances: str, percent: str) -> Size | None:
    if not given.has(instances) and not given.has(percent):
        return None
    if given.has(instances) and given.has(percent):
        raise InvalidInput(
            f"{given.at(instances)} and {given.at(percent)} exclude each other",
            field=given.at(instances),
        )
    return Size(instances=given.maybe_whole(instances), percent=given.maybe_whole(percent))


def written(strategy: Strategy) -> dict[str, Json]:
    """Write a strategy as a payload has it."""
    told: dict[str, Json] = {
        "kind": strategy.kind.value.lower(),
        "waitSeconds": strategy.wait.total_seconds(),
        "terminationWaitSeconds": strategy.termination_wait.total_seconds(),
        "alarms": list(strategy.alarms),
    }
    if strategy.limit is not None:
        told["limitSeconds"] = strategy.limit.total_seconds()
    for size, instances, percent in (
        (strategy.step, "instances", "percent"),
        (strategy.rollback_step, "rollbackInstances", "rollbackPercent"),
    ):
        if size is not None:
            name, value = (
                (instances, size.instances) if size.percent is None else (percent, size.percent)
            )
            told[name] = value
    return told
