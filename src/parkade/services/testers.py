"""Testers: set, shown, removed. Their runs are `services.testing.rounds`'."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import TesterNotFound
from parkade.domain.event import Event
from parkade.domain.tester import order
from parkade.domain.tester.tester import Tester
from parkade.services.contention import contended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.event import Json
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.testers import TesterStore


class Testers:
    """Reads and writes testers. `changed` is called after every change."""

    def __init__(
        self, store: TesterStore, *, clock: Clock, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed

    def get(self, name: str) -> Tester:
        """Return the tester. Raises TesterNotFound, or Unreadable where it is damaged."""
        return self._store.get(name)

    def all(self) -> Listing[Tester]:
        """Return every tester in the order of names, and why others are unreadable."""
        return self._store.all()

    def put(self, name: str, content: Mapping[str, Json], *, actor: str) -> Tester:
        """Store a tester over the one of its name; what is known of its runs stays.

        Its first time is the first one after now. The same content again changes nothing. Raises
        InvalidInput that names the member of the content.
        """
        names.endpoint_name(name, field="name")
        wanted = order.settled(content)
        asked = order.read(wanted)
        tester = self._put(name, wanted, f"it asks {asked.path}", actor)
        self._changed()
        return tester

    def remove(self, name: str, *, actor: str) -> None:
        """Remove a tester, damaged or not. Raises TesterNotFound."""
        self._store.remove(name, self._event("tester.removed", name, "it was removed", actor))
        self._changed()

    @contended
    def _put(self, name: str, content: Mapping[str, Json], told: str, actor: str) -> Tester:
        now = self._clock.now()
        try:
            held = self._store.get(name)
        except TesterNotFound:
            held = Tester(name=name, content={}, created_at=now, seen_to=now)
        if held.content == content:
            return held
        # A rate counts from when it was set.
        changed = replace(held, content=content, created_at=now, seen_to=now, skipped=None)
        return self._store.put(changed, self._event("tester.set", name, told, actor))

    def _event(self, kind: str, name: str, told: str, actor: str) -> Event:
        return Event(
            at=self._clock.now(),
            kind=kind,
            actor=actor,
            reason=f"tester {name}: {told}",
            data={"tester": name},
        )
