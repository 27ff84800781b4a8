"""The maintainer: whom it watches, and what it remembers of them.

Looking changes nothing: what is to be remembered comes with the circumstances of a decision, and
the sweep that decides on it stores it first. What cannot be read of an endpoint (its tags, its
terms, its watch) leaves it alone, and what is remembered of it as it is; somebody hears of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkade.domain import watching
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.watching import Asked, Change, Opting, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.idle import Use
    from parkade.domain.ladder import Watch
    from parkade.domain.terms import Terms
    from parkade.ports.catalog import Listing, Tagged
    from parkade.ports.leases import Shelf
    from parkade.ports.watches import WatchStore

ENDPOINT = "endpoint"


class TagSource(Protocol):
    """Where tags are read."""

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is known of endpoints before it is known which run, or are leased."""

    opting: Opting
    held: Listing[Watch]
    #: None: nobody is watched on this server, so that tags say nothing.
    tagged: Tagged | None
    terms: Listing[Terms]

    @property
    def names(self) -> frozenset[str]:
        """Whom something is known of."""
        known = {each.endpoint_name for each in self.held.records} | self.held.unreadable.keys()
        if self.tagged is not None:
            known |= self.tagged.tags.keys() | self.tagged.unreadable.keys()
        return frozenset(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who is to be watched, before it is known how they are used."""

    #: How each is to be watched, by name; of those that are not among them nothing is known, or
    #: they did not opt in.
    asked: Mapping[str, Asked]
    #: What is remembered.
    held: Mapping[str, Watch]
    #: Why nothing can be done about some of them; what is remembered of these stays.
    unreadable: Mapping[str, str]

    @property
    def unusable(self) -> Mapping[str, str]:
        """What people have to hear of, by name."""
        mistaken = {name: each.unusable for name, each in self.asked.items() if each.unusable}
        return {**mistaken, **self.unreadable}


class Maintainer:
    """Knows who opted in, and follows how they stand."""

    def __init__(self, store: WatchStore, tags: TagSource, *, opting: Callable[[], Opting]) -> None:
        """Read watches and tags here; `opting` gives the server's settings."""
        self._store = store
        self._tags = tags
        self._opting = opting

    def recall(self, terms: Listing[Terms]) -> Recalled:
        """Return what is known of endpoints, with these terms."""
        opting = self._opting()
        tells = opting.watched is not Watched.NONE
        return Recalled(
            opting=opting,
            held=self._store.all(),
            tagged=self._tags.tagged(ENDPOINT) if tells else None,
            terms=terms,
        )

    def look(
        self, recalled: Recalled, shelf: Shelf, endpoints: Mapping[str, ObservedEndpoint]
    ) -> Look:
        """Return whom to watch, of all that run or are leased."""
        held, terms, tagged = recalled.held, recalled.terms, recalled.tagged
        watches = {each.endpoint_name: each for each in held.records}
        if tagged is None:
            # Terms settle more than the maintainer's part: that they pay for nothing is told.
            return Look(asked={}, held=watches, unreadable=dict(terms.unreadable))
        unreadable = {**held.unreadable, **terms.unreadable, **tagged.unreadable}
        settled = {each.endpoint_name: each for each in terms.records}
        names = endpoints.keys() | {lease.endpoint_name for lease in shelf.leases}
        asked = {
            name: found
            for name in sorted(names - unreadable.keys())
            if (
                found := watching.asked(
                    recalled.opting, tagged.tags.get(name, {}), settled.get(name)
                )
            )
        }
        told = {
            name: f"{why}; it is left alone" for name, why in unreadable.items() if name in names
        }
        return Look(asked=asked, held=watches, unreadable=told)

    def follow(
        self,
        now: datetime,
        look: Look,
        shelf: Shelf,
        endpoints: Mapping[str, ObservedEndpoint],
        uses: Mapping[str, Use],
    ) -> tuple[Mapping[str, Watch], tuple[Change, ...]]:
        """Return the watches as of now, and what of them is to be stored."""
        leased = {lease.endpoint_name for lease in shelf.leases} | shelf.unreadable.keys()
        watches: dict[str, Watch] = {}
        changes: list[Change] = []
        for name in sorted((look.asked.keys() | look.held.keys()) - look.unreadable.keys()):
            before = look.held.get(name)
            after = watching.followed(
                now,
                before,
                endpoints.get(name),
                look.asked.get(name),
                leased=name in leased,
                use=uses.get(name),
            )
            if after is not None:
                watches[name] = after
            if change := watching.change(name, before, after):
                changes.append(change)
        return watches, tuple(changes)


def serving(endpoints: Mapping[str, ObservedEndpoint]) -> set[str]:
    """Return the names of the endpoints that are in service, and awake."""
    return {
        name
        for name, seen in endpoints.items()
        if seen.status is EndpointStatus.IN_SERVICE and not seen.asleep
    }
