"""Counting the calls of each path that leads to a model, and keeping the counts for control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps import linkcalls
from parkade.apps.gateway.spreads import MILLISECONDS, Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Calls whose times are counted at once.
_TOGETHER = 512


class PathCalls:
    """The calls of one path since they were last taken."""

    __slots__ = (
        "_errors_4xx",
        "_errors_5xx",
        "_integration",
        "_latency",
        "_number",
        "_times",
    )

    def __init__(self) -> None:
        self._number = 0
        self._errors_4xx = 0
        self._errors_5xx = 0
        self._latency = Spread(MILLISECONDS)
        self._integration = Spread(MILLISECONDS)
        # Seconds of calls that are not counted yet.
        self._times: list[tuple[float, float]] = []

    def count(self, status: int, times: tuple[float, float]) -> None:
        """Count a call that is over.

        `times`: its seconds in all, and those since a model had it; 0: none had.
        """
        kept = self._times
        kept.append(times)
        if status >= 400:
            if status < 500:
                self._errors_4xx += 1
            else:
                self._errors_5xx += 1
        if len(kept) >= _TOGETHER:
            self._fold()

    def take(self, api: str, resource: str) -> linkcalls.Calls | None:
        """Return what was counted, and begin again from zero; None: nothing was."""
        if self._times:
            self._fold()
        if not self._number:
            return None
        taken = linkcalls.Calls(
            api=api,
            resource=resource,
            calls=self._number,
            errors_4xx=self._errors_4xx,
            errors_5xx=self._errors_5xx,
            latency=self._latency.take(),
            integration=self._integration.take(),
        )
        self._number = self._errors_4xx = self._errors_5xx = 0
        return taken

    def give_back(self, taken: linkcalls.Calls) -> None:
        """Add what was taken and did not arrive."""
        self._number += taken.calls
        self._errors_4xx += taken.errors_4xx
        self._errors_5xx += taken.errors_5xx
        self._latency.give_back(taken.latency)
        self._integration.give_back(taken.integration)

    def _fold(self) -> None:
        times, self._times = self._times, []
        self._number += len(times)
        self._latency.count([latency for latency, _ in times])
        integrations = [integration for _, integration in times if integration]
        if integrations:
            self._integration.count(integrations)


class CallBook:
    """The calls of all paths that there have been: routes are few, and may come back."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], PathCalls] = {}

    def of(self, api: str, resource: str) -> PathCalls:
        """Return the calls of a path of an API."""
        return self._paths.setdefault((api, resource), PathCalls())

    def take(self) -> Sequence[linkcalls.Calls]:
        """Return what was counted of each path that was called, and begin again from zero."""
        taken = (calls.take(*key) for key, calls in self._paths.items())
        return [each for each in taken if each is not None]

    def give_back(self, taken: Sequence[linkcalls.Calls]) -> None:
        """Add what was taken and did not arrive."""
        for each in taken:
            self.of(each.api, each.resource).give_back(each)
