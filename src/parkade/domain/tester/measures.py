"""What a run measured, as series of CloudWatch's kind.

    Parkade/Tester  ResponseTime (ms), StatusSuccess, StatusError, TestSuccess, TestFail
                    by Project, Stage and Type (Route or Endpoint)

Every call is in one of StatusSuccess and StatusError, and in one of TestSuccess and TestFail: a call
that was answered with an error is no success of its case either. A count that stays at 0 is told
as 0, so that an alarm on it has something to look at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.series import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Json
    from parkade.domain.tester.shot import Shot

NAMESPACE = "Parkade/Tester"
#: Of a tester that is no project's: as the series of routes have it.
NO_PROJECT, NO_STAGE = "parkade", "prod"
_MINUTE = 60
#: Digits of a time that are kept: histograms have coarser buckets.
_DIGITS = 3
_LABEL = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the series of a tester are told apart by."""

    project: str = NO_PROJECT
    stage: str = NO_STAGE
    #: Whether it asks by a route rather than by the name of an endpoint.
    by_route: bool = False

    def __post_init__(self) -> None:
        for name, text in (("project", self.project), ("stage", self.stage)):
            if not 0 < len(text) <= _LABEL or not text.isascii() or not text.isprintable():
                raise InvalidInput(
                    f"{name} {text[:80]!r} is no value of a dimension",
                    field=name,
                    hint=f"use 1 to {_LABEL} characters of ASCII",
                )

    @property
    def dimensions(self) -> Mapping[str, str]:
        """The dimensions of its series."""
        kind = "Route" if self.by_route else "Endpoint"
        return {"Project": self.project, "Stage": self.stage, "Type": kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Samples of one series: how many of each value there were, `ago` seconds before now."""

    name: str
    unit: Unit
    counts: Mapping[float, int]
    ago: float = 0.0


def measured(shots: Sequence[Shot], end: float) -> list[Measure]:
    """Return what these calls measured, minute by minute; `end`: seconds since the run's begin."""
    minutes: dict[int, list[Shot]] = {}
    for shot in shots:
        minutes.setdefault(int((end - shot.at) // _MINUTE), []).append(shot)
    found: list[Measure] = []
    for _, part in sorted(minutes.items(), reverse=True):
        ago = max(0.0, end - max(shot.at for shot in part))
        answered = sum(200 <= shot.status < 300 for shot in part)
        passed = sum(shot.ok for shot in part)
        times = Counter(_short(shot.seconds * 1000) for shot in part if shot.status)
        if times:
            found.append(
                Measure(name="ResponseTime", unit=Unit.MILLISECONDS, counts=times, ago=ago)
            )
        found += [
            Measure(name=name, unit=Unit.COUNT, counts={float(number): 1}, ago=ago)
            for name, number in (
                ("StatusSuccess", answered),
                ("StatusError", len(part) - answered),
                ("TestSuccess", passed),
                ("TestFail", len(part) - passed),
            )
        ]
    return found


def written(measure: Measure) -> dict[str, Json]:
    """Write samples as `POST /v1/metrics` takes them, without their dimensions."""
    return {
        "name": measure.name,
        "unit": str(measure.unit),
        "values": list(measure.counts),
        "counts": list(measure.counts.values()),
        "ago_seconds": round(measure.ago, 3),
    }


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
