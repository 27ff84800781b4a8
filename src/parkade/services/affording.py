"""Whether the time that a request would buy can be paid for: looked at before anybody waits for it.

A wake is paid for by the sweep, as every coin without a person. Who calls is told of a refusal at
once, and held for nothing otherwise.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.errors import ParkadeError
from parkade.domain.waking import buys

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.domain.lease import Lease, LeaseRules
    from parkade.domain.standing import Refusal
    from parkade.domain.terms import Terms
    from parkade.ports.clock import Clock
    from parkade.services.meter import Admit


class Affording:
    """Asks the owner's budget; reserves nothing."""

    def __init__(
        self,
        *,
        clock: Clock,
        rules: Callable[[], LeaseRules],
        admit: Admit,
        at_once: Callable[[], Admit] | None = None,
    ) -> None:
        """Take what holds payments to budgets; `at_once` gives one for many questions of now."""
        self._clock = clock
        self._rules = rules
        self._admit = admit
        self._at_once = at_once or (lambda: admit)

    def refusal(self, lease: Lease, terms: Terms | None) -> ParkadeError | None:
        """Return why the time is not paid for that a request would buy now; None: it is, or none is.

        Never raises: where a budget cannot be read no time is paid for.
        """
        return self._refusal(lease, terms, now=self._clock.now(), admit=self._admit)

    def at_once(self) -> Refusal:
        """Return `refusal` as of now, for many leases: what is stored is read once for all."""
        return partial(self._refusal, now=self._clock.now(), admit=self._at_once())

    def _refusal(
        self, lease: Lease, terms: Terms | None, *, now: datetime, admit: Admit
    ) -> ParkadeError | None:
        rules = self._rules()
        amount = min(buys(lease, terms, now), rules.max_ahead)
        if not amount:
            return None
        try:
            admit(leases.bought_by_wake(lease, now + amount, now, rules), lease, now)
        except ParkadeError as error:
            return error
        return None
