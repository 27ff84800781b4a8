"""How one replayed request went: what was answered before, and what is answered now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.comparing.answers import STRICT, Comparison, Rules, compare

if TYPE_CHECKING:
    from parkade.domain.capturedcalls import CapturedCall
    from parkade.domain.comparing.reading import Body


class Verdict(StrEnum):
    """What is to be said of one request."""

    AGREES = "agrees"
    DIFFERS = "differs"
    #: The candidate gave no good answer, where the reference did.
    FAILED = "failed"
    #: There is nothing to compare with: the answer was not captured, or the baseline has none.
    UNCOMPARED = "uncompared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a request got; status 0: no answer, for the reason in `trouble`."""

    status: int
    body: Body
    seconds: float
    trouble: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it is an answer of the model."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A captured call with what the candidate, and the baseline if there is one, answer now."""

    call: CapturedCall
    #: Where it was read: file and line.
    place: str
    candidate: Reply
    baseline: Reply | None = None

    @property
    def reference(self) -> Body | None:
        """What the candidate's answer is compared with; None: there is nothing."""
        if self.baseline is None:
            return self.call.answered
        return self.baseline.body if self.baseline.succeeded else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A replayed request, and what is to be said of it."""

    replayed: Replayed
    verdict: Verdict
    comparison: Comparison = Comparison()  # noqa: RUF009  it is frozen


def judge(replayed: Replayed, rules: Rules = STRICT) -> Judged:
    """Compare what the candidate answered with its reference."""
    reference = replayed.reference
    if reference is None:
        return Judged(replayed=replayed, verdict=Verdict.UNCOMPARED)
    if not replayed.candidate.succeeded:
        return Judged(replayed=replayed, verdict=Verdict.FAILED)
    comparison = compare(reference, replayed.candidate.body, rules)
    verdict = Verdict.AGREES if comparison.agrees else Verdict.DIFFERS
    return Judged(replayed=replayed, verdict=verdict, comparison=comparison)
