"""Whether a shadow answers as the production variant does: captured calls with the same event id."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.comparing.answers import compare
from parkade.domain.intervals import Interval, wilson

if TYPE_CHECKING:
    from parkade.domain.comparing.answers import Rules
    from parkade.domain.comparing.reading import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many of the answers that were captured of both are the same."""

    pairs: int = 0
    agree: int = 0
    #: Calls of the production variant that the shadow has no answer to: not copied, or failed.
    unpaired: int = 0
    unreadable: int = 0
    #: Whether all that was captured in the time was read; otherwise the newest.
    complete: bool = True

    @property
    def share(self) -> float | None:
        """Those that agree; None: there are no pairs."""
        return self.agree / self.pairs if self.pairs else None

    @property
    def interval(self) -> Interval:
        """How sure that is."""
        return wilson(self.agree, self.pairs)

    def plus(self, other: Agreement) -> Agreement:
        """Return both together."""
        return Agreement(
            pairs=self.pairs + other.pairs,
            agree=self.agree + other.agree,
            unpaired=self.unpaired + other.unpaired,
            unreadable=self.unreadable + other.unreadable,
            complete=self.complete and other.complete,
        )


def joined(
    production: Mapping[str, Body], shadow: Mapping[str, Body], rules: Rules, most: int
) -> Agreement:
    """Compare the answers of both, by event id, at most so many."""
    shared = [event_id for event_id in production if event_id in shadow]
    taken = shared[:most]
    agree = sum(compare(production[each], shadow[each], rules).agrees for each in taken)
    return Agreement(
        pairs=len(taken),
        agree=agree,
        unpaired=len(production) - len(shared),
        complete=len(taken) == len(shared),
    )
