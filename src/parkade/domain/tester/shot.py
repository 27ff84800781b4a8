"""One call of a tester, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain import cases
from parkade.domain.comparing import answers
from parkade.domain.comparing.reading import Body

if TYPE_CHECKING:
    from parkade.domain.cases import Case

#: Characters of what is told about a failure.
SHOWN = 300


class Outcome(StrEnum):
    """What came of one call."""

    OK = "ok"
    #: Answered with another status than 2xx, or not at all.
    STATUS = "status"
    #: Answered, and not with what is expected.
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. Status 0: nothing did, and `trouble` says why."""

    status: int
    content_type: str = ""
    body: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One call. Times are seconds; `at` is when it was made, from the begin of the run."""

    case: str
    client: int
    at: float
    #: From before the request was sent until the last byte of the answer was there.
    seconds: float
    outcome: Outcome
    status: int
    #: Of a failure: what came, what was expected, and where they differ.
    got: str = ""
    expected: str = ""
    difference: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether it was answered as expected."""
        return self.outcome is Outcome.OK


def judged(case: Case, reply: Reply, *, client: int, at: float, seconds: float) -> Shot:
    """Return the call with what its answer is worth."""
    found = cases.judge(case, reply.status, Body(reply.body, reply.content_type))
    if found.passed:
        return Shot(
            case=case.id,
            client=client,
            at=at,
            seconds=seconds,
            outcome=Outcome.OK,
            status=reply.status,
        )
    got = reply.trouble or _cut(found.text)
    wrong = 200 <= reply.status < 300
    return Shot(
        case=case.id,
        client=client,
        at=at,
        seconds=seconds,
        outcome=Outcome.WRONG if wrong else Outcome.STATUS,
        status=reply.status,
        got=got if wrong or not reply.status else f"{reply.status} {got}".rstrip(),
        expected=answers.shown(case.expected) or "",
        difference=_cut(str(found)) if wrong else "",
    )


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
