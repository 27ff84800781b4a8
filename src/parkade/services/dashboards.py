"""What a dashboard shows: its series read at once, and the figures of what is there now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from parkade.domain.dashboard.panel import Fact
from parkade.domain.errors import LeaseNotFound, ParkadeError
from parkade.domain.statistics import Statistic, period
from parkade.services.metrics import Wanted, aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.dashboard.panel import Dashboard, Figure, Line, Panel
    from parkade.domain.lease import Lease
    from parkade.domain.price import Sum
    from parkade.domain.series import Series
    from parkade.ports.capacity import Reading
    from parkade.services.budgets import Budgets
    from parkade.services.costs import Bill
    from parkade.services.metrics import Answer, Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where figures are read from."""

    lease: Callable[[str], Lease]
    #: What endpoints cost since the range began; or why that cannot be read.
    bill: Bill | ParkadeError
    budgets: Budgets
    #: What an hour of each endpoint costs that runs now.
    hourly: Callable[[], Mapping[str, Sum]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One line: a value for each period, None where nothing was measured, or it is not known."""

    line: Line
    values: tuple[float | None, ...]
    #: Why there are none.
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One figure; None: there is none, and `why` may say so."""

    figure: Figure
    value: float | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A panel with what it shows."""

    panel: Panel
    lines: tuple[Drawn, ...]
    figures: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A dashboard with what it shows, in the order of its rows."""

    #: The begin of the first period, the end of the last, and their length in seconds.
    start: datetime
    end: datetime
    period: int
    rows: tuple[tuple[str, tuple[Shown, ...]], ...]

    @property
    def times(self) -> tuple[datetime, ...]:
        """The begins of the periods."""
        step = timedelta(seconds=self.period)
        return tuple(self.start + n * step for n in range((self.end - self.start) // step))


def figures(
    dashboard: Dashboard,
    sources: Sources,
    readings: Iterable[Reading],
    now: datetime,
) -> dict[Figure, Told]:
    """Tell all figures of a dashboard.

    To be called where hosting is. `readings` are the capacities. What cannot be read of one figure
    hides no other.
    """
    told = _Figures(sources, readings, now)
    return {figure: told.told(figure) for panel in dashboard.panels() for figure in panel.figures}


def draw(
    dashboard: Dashboard,
    metrics: Metrics,
    told: Mapping[Figure, Told],
    span: tuple[datetime, datetime],
    seconds: float,
) -> Picture:
    """Read what was measured within a span, period by period, and put the figures beside it.

    A series that is damaged hides no other. Raises InvalidInput for a period or a span that is not
    possible, or more points than a query may have, and Unreadable or Unavailable where nothing
    measured can be read.
    """
    length = period(seconds)
    start, end = aligned(*span, length)
    lines = _lines(dashboard, metrics, (start, end), length)
    return Picture(
        start=start,
        end=end,
        period=length,
        rows=tuple(
            (
                row.title,
                tuple(
                    Shown(
                        panel=panel,
                        lines=tuple(lines[line] for line in panel.lines),
                        figures=tuple(told[figure] for figure in panel.figures),
                    )
                    for panel in row.panels
                ),
            )
            for row in dashboard.rows
        ),
    )


def _lines(
    dashboard: Dashboard, metrics: Metrics, span: tuple[datetime, datetime], seconds: int
) -> dict[Line, Drawn]:
    wanted: defaultdict[Series, dict[str, None]] = defaultdict(dict)
    every = [line for panel in dashboard.panels() for line in panel.lines]
    for line in every:
        wanted[line.series][line.statistic] = None
    if not wanted:
        return {}
    asked = [
        Wanted(series, tuple(Statistic.of(name) for name in names))
        for series, names in wanted.items()
    ]
    answers = metrics.query(asked, *span, seconds)
    by_series = {each.wanted.series: each for each in answers}
    return {line: _drawn(line, by_series[line.series], span, seconds) for line in every}


def _drawn(line: Line, answer: Answer, span: tuple[datetime, datetime], seconds: int) -> Drawn:
    start, end = span
    step = timedelta(seconds=seconds)
    place = [each.name for each in answer.wanted.statistics].index(line.statistic)
    values: list[float | None] = [None] * ((end - start) // step)
    for point in answer.points:
        values[(point.at - start) // step] = point.values[place]
    trouble = answer.unreadable.message if answer.unreadable is not None else ""
    return Drawn(line=line, values=tuple(values), trouble=trouble)


class _Figures:
    """Tells figures; what many of them need is read once."""

    def __init__(self, sources: Sources, readings: Iterable[Reading], now: datetime) -> None:
        self._sources = sources
        self._readings = {
            (each.endpoint_name, each.resource.variant_name): each for each in readings
        }
        self._now = now
        self._hourly: Mapping[str, Sum] | None = None

    def told(self, figure: Figure) -> Told:
        """Return what a figure is now."""
        try:
            value, why = self._value(figure)
        except ParkadeError as error:
            return Told(figure=figure, value=None, why=error.message)
        return Told(figure=figure, value=value, why=why)

    def _value(self, figure: Figure) -> tuple[float | None, str]:
        match figure.fact:
            case Fact.TIME_LEFT:
                return self._time_left(figure.of)
            case Fact.HOURLY:
                return self._price(figure.of)
            case Fact.SPENT:
                return float(self._costs(figure.of, idle=False)), ""
            case Fact.IDLE:
                return float(self._costs(figure.of, idle=True)), ""
            case Fact.WANTED | Fact.ANSWERING:
                reading = self._readings.get((figure.of, figure.variant_name))
                if reading is None:
                    return None, "it is not there"
                wanted = figure.fact is Fact.WANTED
                return float(reading.desired if wanted else reading.current), ""
            case Fact.BUDGET_SPENT | Fact.BUDGET_LEFT:
                return self._budget(figure)

    def _time_left(self, endpoint_name: str) -> tuple[float | None, str]:
        try:
            lease = self._sources.lease(endpoint_name)
        except LeaseNotFound:
            return None, "no lease"
        return max(0.0, lease.time_left(self._now).total_seconds()), ""

    def _price(self, endpoint_name: str) -> tuple[float | None, str]:
        if self._hourly is None:
            self._hourly = self._sources.hourly()
        hourly = self._hourly.get(endpoint_name)
        if hourly is None:
            return 0.0, "nothing runs"
        if hourly.unpriced:
            return None, f"{', '.join(sorted(hourly.unpriced))} has no price"
        return float(hourly.usd), ""

    def _costs(self, endpoint_name: str, *, idle: bool) -> Decimal:
        bill = self._sources.bill
        if isinstance(bill, ParkadeError):
            raise bill
        found: Sequence[Decimal] = [
            (each.costs.idle if idle else each.costs.cost).usd
            for each in bill.lines
            if each.endpoint_name == endpoint_name
        ]
        return sum(found, Decimal(0))

    def _budget(self, figure: Figure) -> tuple[float | None, str]:
        budget = self._sources.budgets.get(figure.of)
        if budget is None:
            return None, "no budget"
        standing = self._sources.budgets.standing(budget)
        spent = figure.fact is Fact.BUDGET_SPENT
        return float(standing.spent if spent else standing.left), ""
