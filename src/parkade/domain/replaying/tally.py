"""Adds up how replayed requests went."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from parkade.domain.intervals import CONFIDENCE, wilson
from parkade.domain.replaying.replies import Verdict
from parkade.domain.replaying.spread import Spread
from parkade.domain.replaying.worst import Worst

if TYPE_CHECKING:
    from parkade.domain.replaying.replies import Judged, Reply

#: Fields that are told apart. Answers whose names are all different must not fill the memory.
MOST_FIELDS = 200
#: Stands for all further ones.
OTHERS = "(others)"


class _Side:
    """What one of both, candidate or baseline, answered."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.latencies = Spread()

    def add(self, reply: Reply) -> None:
        if not reply.status:
            self.statuses["none"] += 1
            if len(self.troubles) < MOST_FIELDS or reply.trouble in self.troubles:
                self.troubles[reply.trouble] += 1
            return
        self.statuses[str(reply.status)] += 1
        if reply.succeeded:
            # Errors are quick, or as slow as a time limit: they would tell nothing of the model.
            self.latencies.add(reply.seconds)

    def document(self) -> dict[str, Any]:
        return {
            "statuses": dict(sorted(self.statuses.items())),
            "troubles": dict(self.troubles.most_common()),
            "latency_seconds": self.latencies.document(),
        }


class Tally:
    """What came of a replay so far."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self._differing: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._deviations: dict[str, Spread] = {}
        self._candidate = _Side()
        self._baseline: _Side | None = None
        self._worst = Worst()

    def add(self, judged: Judged) -> None:
        """Take one more."""
        self.verdicts[judged.verdict] += 1
        self._candidate.add(judged.replayed.candidate)
        if judged.replayed.baseline is not None:
            self._baseline = self._baseline or _Side()
            self._baseline.add(judged.replayed.baseline)
        comparison = judged.comparison
        self._differing.update({self._known(each) for each in comparison.counts})
        self._missing.update(comparison.missing)
        for name, numbers in comparison.deviations.items():
            spread = self._deviations.setdefault(self._known(name), Spread())
            for number in numbers:
                spread.add(number)
        self._worst.add(judged)

    @property
    def whole(self) -> int:
        """How many there are."""
        return self.verdicts.total()

    def _known(self, name: str) -> str:
        if name in self._differing or name in self._deviations:
            return name
        full = len(self._differing.keys() | self._deviations.keys()) >= MOST_FIELDS
        return OTHERS if full else name

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        agree, differ = self.verdicts[Verdict.AGREES], self.verdicts[Verdict.DIFFERS]
        failed = self.verdicts[Verdict.FAILED]
        whole = agree + differ + failed
        interval = wilson(agree, whole)
        return {
            "requests": self.whole,
            "agreement": {
                "compared": whole,
                "agree": agree,
                "differ": differ,
                "failed": failed,
                "uncompared": self.verdicts[Verdict.UNCOMPARED],
                "share": agree / whole if whole else None,
                "low": interval.low if whole else None,
                "high": interval.high if whole else None,
                "confidence": CONFIDENCE,
            },
            "fields": [
                {"path": name, "answers": count, "share": count / (agree + differ)}
                for name, count in sorted(self._differing.items(), key=lambda each: -each[1])
            ],
            "missing_fields": dict(self._missing),
            "deviations": [
                {"path": name, **(spread.document() or {})}
                for name, spread in sorted(self._deviations.items(), key=lambda each: -each[1].most)
            ],
            "candidate": self._candidate.document(),
            "baseline": self._baseline.document() if self._baseline else None,
            "examples": self._worst.documents(),
        }
