"""What one policy asks for; `deciding` makes one decision of those of all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Direction(StrEnum):
    """Which way a policy wants to go."""

    OUT = "out"
    IN = "in"
    #: As it is: no fewer, whatever others ask for.
    STAY = "stay"
    #: It has nothing to say now, and is in nobody's way.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one policy asks for, and why."""

    policy_name: str
    direction: Direction
    #: How many are to be, of OUT and IN; of NONE the fewest that it can do with.
    wanted: int
    #: As the end of a sentence.
    reason: str
    #: When it may be another answer at the earliest, where that is known.
    next_at: datetime | None = None
    #: The alarm that has led to it.
    alarm_name: str = ""
