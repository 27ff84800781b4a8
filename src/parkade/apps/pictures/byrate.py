"""Latency by rate: what each step of load measured, against its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.pictures import axes, svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parkade.apps.pictures.axes import Axis

#: So far above the target latencies are shown in full; what is beyond is at the upper edge.
_ABOVE = 3.0


def picture(title: str, found: Mapping[str, Any]) -> str:
    """Return the SVG of what steps of load found, as `parkade tester load --json` tells it."""
    steps: Sequence[Mapping[str, Any]] = sorted(found["steps"], key=lambda each: each["rate"])
    target, quantile = float(found["target_ms"]), str(found["quantile"])
    across_place, up_place = svg.places()
    across = axes.rising([each["rate"] for each in steps], *across_place)
    shown = [min(each["latency_ms"], target * _ABOVE) for each in steps if _known(each)]
    up = axes.rising([target * 1.2, *shown], *up_place)
    frame = svg.Frame(
        title=title,
        description=str(found["verdict"]),
        across=across,
        up=up,
        across_label="requests a second",
        up_label="latency (ms)",
        key=[
            ("one", "p50"),
            ("two", quantile),
            ("held", "holds"),
            ("bad", "does not hold"),
            *([("unsure", "the client was the limit")] if found["client_limited"] else []),
            ("target", f"target, {target:g} ms"),
        ],
    )
    return svg.picture(frame, [*_drawn(steps, across, up, target)])


def _known(step: Mapping[str, Any]) -> bool:
    return step["latency_ms"] is not None


def _drawn(
    steps: Sequence[Mapping[str, Any]], across: Axis, up: Axis, target: float
) -> Iterable[str]:
    yield svg.line(across.begin, up.at(target), across.end, up.at(target), "target")
    for member, kind in (("p50_ms", "one"), ("latency_ms", "two")):
        points = [
            None if each[member] is None else (across.at(each["rate"]), _height(up, each[member]))
            for each in steps
        ]
        yield svg.path(points, kind)
    for each in steps:
        x = across.at(each["rate"])
        y = _height(up, each["latency_ms"]) if _known(each) else up.end
        told = f"{each['rate']:g} a second: {each['reason']}"
        if each["holds"] or each["client_limited"]:
            yield svg.dot(x, y, "held" if each["holds"] else "unsure", told, radius=4.5)
        else:
            yield svg.cross(x, y, told)


def _height(up: Axis, value: float) -> float:
    return up.at(min(value, up.high))
