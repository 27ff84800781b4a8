"""What came of a run of a tester: by case, over time, and what was wrong first."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.tester.quantiles import quantile
from parkade.domain.tester.shot import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parkade.domain.event import Json
    from parkade.domain.tester.shot import Shot

#: Failures that are told with what was expected and what came; of each case one comes first.
MOST_FAILURES = 10
_OF_ONE_CASE = 3
#: Windows that a picture of a run has at most, and the shortest of them, in seconds.
MOST_WINDOWS = 120
_WINDOWS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one case, or of all; times in milliseconds, of all calls that got an answer."""

    case: str
    runs: int
    ok: int
    status_errors: int
    wrong: int
    p50: float | None
    p90: float | None
    p99: float | None
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of the run, as its picture shows it; `at` in seconds from its begin."""

    at: float
    runs: int
    failures: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of one run."""

    rows: tuple[Row, ...]
    whole: Row
    failures: tuple[Shot, ...]
    #: Seconds of a window.
    window: float
    windows: tuple[Window, ...]
    #: Cases whose turn never came.
    unreached: tuple[str, ...]
    #: How long it took, in seconds.
    seconds: float

    @property
    def passed(self) -> bool:
        """Tell whether something was asked, and all of it was answered as expected."""
        return 0 < self.whole.runs == self.whole.ok

    def words(self) -> str:
        """Say it in a sentence."""
        whole = self.whole
        if not whole.runs:
            return "nothing was asked"
        if self.passed:
            return f"all {whole.runs} calls were answered as expected"
        parts = [
            f"{number} {what}"
            for number, what in (
                (whole.status_errors, "with an error"),
                (whole.wrong, "with a wrong answer"),
            )
            if number
        ]
        return f"of {whole.runs} calls {' and '.join(parts)}"

    def written(self) -> dict[str, Json]:
        """Write it as JSON."""
        return {
            "passed": self.passed,
            "summary": self.words(),
            "seconds": round(self.seconds, 3),
            "total": _row(self.whole),
            "cases": [_row(each) for each in self.rows],
            "failures": [_failure(each) for each in self.failures],
            "unreached": list(self.unreached),
            "window_seconds": self.window,
            "windows": [
                {
                    "at_seconds": each.at,
                    "runs": each.runs,
                    "failures": each.failures,
                    "p50_ms": each.p50,
                    "p99_ms": each.p99,
                }
                for each in self.windows
            ],
        }


def report(shots: Sequence[Shot], cases: Sequence[str], seconds: float) -> Report:
    """Return the report of these calls; `cases` are the ids in the order of their file."""
    by_case: dict[str, list[Shot]] = {case: [] for case in cases}
    for shot in shots:
        by_case[shot.case].append(shot)
    window = _window(seconds)
    return Report(
        rows=tuple(_told(case, found) for case, found in by_case.items() if found),
        whole=_told("all", shots),
        failures=_failures(shots),
        window=window,
        windows=tuple(_windows(shots, window, seconds)),
        unreached=tuple(case for case, found in by_case.items() if not found),
        seconds=seconds,
    )


def _told(case: str, shots: Sequence[Shot]) -> Row:
    counts = Counter(shot.outcome for shot in shots)
    times = _times(shots)
    return Row(
        case=case,
        runs=len(shots),
        ok=counts[Outcome.OK],
        status_errors=counts[Outcome.STATUS],
        wrong=counts[Outcome.WRONG],
        p50=_quantile(times, 0.5),
        p90=_quantile(times, 0.9),
        p99=_quantile(times, 0.99),
        most=times[-1] if times else None,
    )


def _times(shots: Iterable[Shot]) -> list[float]:
    """Return the times of what was answered, in milliseconds and in order."""
    return sorted(round(shot.seconds * 1000, 3) for shot in shots if shot.status)


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return quantile(ordered, share) if ordered else None


def _failures(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """Return the first failures: the first of each case before the second of any."""
    nth: Counter[str] = Counter()
    ranked = []
    for place, shot in enumerate(sorted(shots, key=lambda each: each.at)):
        if not shot.ok and nth[shot.case] < _OF_ONE_CASE:
            ranked.append((nth[shot.case], place, shot))
            nth[shot.case] += 1
    first = sorted(ranked, key=lambda each: each[:2])[:MOST_FAILURES]
    return tuple(shot for _, _, shot in sorted(first, key=lambda each: each[1]))


def _window(seconds: float) -> float:
    return next((each for each in _WINDOWS if seconds / each <= MOST_WINDOWS), _WINDOWS[-1])


def _windows(shots: Sequence[Shot], width: float, seconds: float) -> Iterable[Window]:
    last = max((int(shot.at // width) for shot in shots), default=-1)
    places = max(last + 1, math.ceil(round(seconds / width, 9)) if shots else 0)
    parts: list[list[Shot]] = [[] for _ in range(places)]
    for shot in shots:
        parts[int(shot.at // width)].append(shot)
    for place, part in enumerate(parts):
        times = _times(part)
        yield Window(
            at=place * width,
            runs=len(part),
            failures=sum(not shot.ok for shot in part),
            p50=_quantile(times, 0.5),
            p99=_quantile(times, 0.99),
        )


def _row(row: Row) -> Mapping[str, Json]:
    return {
        "case": row.case,
        "runs": row.runs,
        "ok": row.ok,
        "status_errors": row.status_errors,
        "wrong": row.wrong,
        "p50_ms": row.p50,
        "p90_ms": row.p90,
        "p99_ms": row.p99,
        "max_ms": row.most,
    }


def _failure(shot: Shot) -> Mapping[str, Json]:
    return {
        "case": shot.case,
        "client": shot.client,
        "at_seconds": round(shot.at, 3),
        "status": shot.status,
        "outcome": str(shot.outcome),
        "got": shot.got,
        "expected": shot.expected,
        "difference": shot.difference,
    }
