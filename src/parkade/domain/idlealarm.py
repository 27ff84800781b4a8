"""The alarms that show what the maintainer sees of an endpoint: their names, spans and words.

Embedded there is one for each endpoint, by metric math; on AWS one for each variant, and one of
these together. They are called the same, look as far back, and say the same.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.alarm import LONGEST
from parkade.domain.errors import InvalidInput
from parkade.domain.spans import duration
from parkade.domain.statistics import period

if TYPE_CHECKING:
    from parkade.domain.idle import IdleRules

#: What their names begin with.
PREFIX = "parkade-idle/"
_MINUTE = 60


def windows(rules: IdleRules) -> tuple[int, int] | None:
    """Return seconds of a period, and how many, that lead to the ladder's next rung.

    They are the windows themselves where series can be told for them. None: there is no rung.
    """
    count = rules.stop_after or rules.notice_after
    if count is None:
        return None
    seconds = rules.window.total_seconds()
    try:
        found = period(seconds)
    except InvalidInput:
        found, count = _MINUTE, math.ceil(seconds * count / _MINUTE)
    # No alarm looks further back than this, however long the ladder's windows are.
    return found, max(1, min(count, LONGEST // found))


def words(endpoint_name: str, seconds: int, by: str) -> str:
    """Say what such an alarm shows; `by`: how the endpoint opted in."""
    return (
        f"Endpoint {endpoint_name} was without use for {duration(timedelta(seconds=seconds))} "
        f"({by}). A view: what is done about it is for the maintainer's ladder."
    )
