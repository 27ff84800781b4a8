"""One call of a tester, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.tester.case import exact, shown, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.event import Json
    from parkade.domain.tester.case import Case


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
    #: Of a failure: what came, and what was expected.
    got: str = ""
    expected: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether it was answered as expected."""
        return self.outcome is Outcome.OK


def judged(
    case: Case,
    reply: Reply,
    *,
    client: int,
    at: float,
    seconds: float,
    compare: Callable[[Json, Json], str] = exact,
) -> Shot:
    """Return the call with what it is worth."""
    if not 200 <= reply.status < 300:
        told = reply.trouble or shown(value(reply.content_type, reply.body))
        got, outcome = (f"{reply.status} {told}" if reply.status else told), Outcome.STATUS
    else:
        said = value(reply.content_type, reply.body)
        difference = compare(case.expected, said)
        got, outcome = (shown(said), Outcome.WRONG) if difference else ("", Outcome.OK)
    return Shot(
        case=case.id,
        client=client,
        at=at,
        seconds=seconds,
        outcome=outcome,
        status=reply.status,
        got=got,
        expected=shown(case.expected) if got else "",
    )
