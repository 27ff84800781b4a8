"""What came of one delivery: its steps, each with its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a step went."""

    PASSED = "passed"
    FAILED = "failed"
    #: There was nothing to do, or an earlier step failed.
    SKIPPED = "skipped"


class StepKind(StrEnum):
    """The steps, in their order; one of the last two is done, or none."""

    TEST = "test"
    PACK = "pack"
    APPLY = "apply"
    TESTER = "tester"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, and what came of it."""

    kind: StepKind
    outcome: Outcome
    text: str
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Report:
    """One delivery, as far as it has come."""

    project: str
    steps: list[Step] = field(default_factory=list)
    #: The application's id; empty: nothing was applied.
    application: str = ""
    #: What the tester found; None: it did not run.
    tester: dict[str, Any] | None = None

    @property
    def passed(self) -> bool:
        """Whether what the file says serves."""
        return not any(each.outcome is Outcome.FAILED for each in self.steps)

    @property
    def summary(self) -> str:
        """How it ended, as a sentence."""
        failed = next((each for each in self.steps if each.outcome is Outcome.FAILED), None)
        if failed is None:
            return "delivered"
        back = self.of(StepKind.ROLL_BACK)
        told = f"not delivered: {failed.kind}: {failed.text}"
        if back is not None and back.outcome is Outcome.PASSED:
            return f"{told}; {back.text}"
        return told

    def of(self, kind: StepKind) -> Step | None:
        """Return a step, if it was come to."""
        return next((each for each in self.steps if each.kind is kind), None)

    def written(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "project": self.project,
            "passed": self.passed,
            "summary": self.summary,
            "application": self.application or None,
            "steps": [
                {
                    "step": each.kind.value,
                    "outcome": each.outcome.value,
                    "text": each.text,
                    "seconds": round(each.seconds, 3),
                }
                for each in self.steps
            ],
            "tester": self.tester,
        }
