"""What a run measured, on its way into the store of measurements."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.series import Aggregate, Series
from parkade.domain.statistics import begin
from parkade.domain.tester.measures import NAMESPACE
from parkade.ports.metrics import MINUTE, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from parkade.domain.tester.measures import Labels, Measure


def samples(
    measures: Iterable[Measure], labels: Labels, now: datetime, scale: float = 1.0
) -> list[Sample]:
    """Return the samples of these measures; `scale`: seconds of `now`'s clock in a real one."""
    return [
        Sample(
            series=Series.of(NAMESPACE, each.name, **labels.dimensions),
            at=begin(now - timedelta(seconds=each.ago * scale), MINUTE),
            value=Aggregate.counted(each.counts),
            unit=str(each.unit),
        )
        for each in measures
    ]
