"""Where the time of an asynchronous invocation goes, and how it ends: told to whoever measures it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


class Stage(Enum):
    """How far a request is."""

    DOWNLOAD = auto()
    MODEL = auto()
    UPLOAD = auto()


@dataclass(slots=True, kw_only=True)
class Trip:
    """One attempt: who has it, how far it is, and the seconds that it took so far."""

    variant_name: str
    #: From its acceptance to the attempt.
    waited: timedelta
    stage: Stage = Stage.DOWNLOAD
    download: float = 0.0
    upload: float = 0.0
    #: From the model's request to the end of its answer, without what reading and storing took.
    model: float | None = None
    #: The status of the model's answer; None: it gave none.
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a request has ended; without a `trip` it was not carried out by this process."""

    endpoint_name: str
    completed: bool
    #: Whether it waited for too long and was never begun.
    expired: bool
    #: From its acceptance to its end.
    took: timedelta
    trip: Trip | None


class Observer(Protocol):
    """Hears of asynchronous invocations; must return at once."""

    def ended(self, ended: Ended) -> None:
        """Know that one has ended."""
        ...

    def untold(self, endpoint_name: str, variant_name: str) -> None:
        """Know that a topic could not be told of one; no variant: it is not known any more."""
        ...


class Nobody:
    """An observer that is not interested."""

    def ended(self, ended: Ended) -> None:
        """Do nothing."""

    def untold(self, endpoint_name: str, variant_name: str) -> None:
        """Do nothing."""
