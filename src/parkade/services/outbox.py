"""The outbox: every subscriber hears of the events it is interested in, at least once."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import SubscriberNotFound
from parkade.domain.event import Event
from parkade.ports.events import EventQuery
from parkade.services.carrier import Carrier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.domain.subscriber import Letter, Progress, Subscriber
    from parkade.ports.catalog import Listing
    from parkade.services.carrier import Desk

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the delivery to one subscriber stands."""

    progress: Progress | None
    #: Events of the history that it has not got to, of interest or not.
    waiting: int
    letters: int


class Outbox:
    """Keeps a carrier for each subscriber. Safe to use from several threads."""

    def __init__(self, desk: Desk, subscribers: Callable[[], Listing[Subscriber]]) -> None:
        """Take what carriers share, and who is to hear; nothing happens before `start`."""
        self._desk = desk
        self._subscribers = subscribers
        self._carriers: dict[str, Carrier] = {}
        self._running = False
        self._lock = threading.RLock()
        desk.history.watch(self._nudge)

    def start(self) -> None:
        """Begin to deliver, from where each subscriber had got to."""
        self._running = True
        self.settle()

    def settle(self, since: Mapping[str, int] | None = None) -> None:
        """Go by the subscribers as they are now.

        A new one begins after the event whose number `since` names, else with what is yet to come.
        What was known of those that are gone is forgotten.
        """
        with self._lock:
            if not self._running:
                return
            listing = self._subscribers()
            wanted = {each.name: each for each in listing.records}
            for name in self._desk.letters.progress().keys() | self._carriers.keys():
                # What cannot be read may be put right: it is waited for.
                if name not in wanted and name not in listing.unreadable:
                    self._let_go(name)
            newest = self._newest()
            for name, subscriber in wanted.items():
                carrier = self._carriers.get(name)
                if carrier is None:
                    begin = (since or {}).get(name, newest)
                    progress = self._desk.letters.begin(name, begin)
                    self._carriers[name] = Carrier(subscriber, progress, self._desk)
                    self._carriers[name].start()
                elif carrier.subscriber != subscriber:
                    carrier.configure(subscriber)

    def close(self, limit: float = 0.5) -> None:
        """Stop at once; what is not delivered is when it starts again."""
        with self._lock:
            self._running = False
            carriers = list(self._carriers.values())
            self._carriers = {}
        for carrier in carriers:
            carrier.stop()
        deadline = time.monotonic() + limit
        left = [c for c in carriers if not c.join(max(0.0, deadline - time.monotonic()))]
        for carrier in left:
            logger.info("a delivery to %s is left for the next start", carrier.subscriber.name)

    def deliveries(self) -> Mapping[str, Delivery]:
        """Return how the delivery to each subscriber stands, by name."""
        stored = dict(self._desk.letters.progress())
        counts = self._desk.letters.counts()
        newest = self._newest()
        with self._lock:
            stored |= {name: carrier.progress for name, carrier in self._carriers.items()}
        return {
            name: Delivery(
                progress=progress,
                waiting=self._waiting(name, progress, newest),
                letters=counts.get(name, 0),
            )
            for name, progress in stored.items()
        }

    def test(self, subscriber: Subscriber, actor: str) -> None:
        """Deliver an event that is in no history, now. Raises Undelivered; blocking."""
        event = Event(
            at=self._desk.clock.now(),
            kind="subscriber.tested",
            actor=actor,
            reason=f"a test of subscriber {subscriber.name}, asked for by {actor}",
            data={"name": subscriber.name},
        )
        channel = self._desk.channel(subscriber)
        channel.deliver(self._desk.message(subscriber, event))

    def letters(
        self, *, subscriber: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Letter]:
        """Return the oldest `limit` letters with a higher id, in the order of ids."""
        return self._desk.letters.letters(subscriber=subscriber, after=after, limit=limit)

    def letter(self, letter_id: int) -> Letter:
        """Return the letter. Raises LetterNotFound."""
        return self._desk.letters.letter(letter_id)

    def resend(self, letter_id: int, actor: str) -> Letter:
        """Deliver a letter now, and drop it when it was taken; blocking.

        Raises Undelivered where it was not, LetterNotFound and SubscriberNotFound.
        """
        letter = self._desk.letters.letter(letter_id)
        subscriber = self._subscriber(letter.subscriber)
        (event,) = self._desk.history.read(EventQuery(after=letter.event_number - 1, limit=1))
        channel = self._desk.channel(subscriber)
        channel.deliver(self._desk.message(subscriber, event))
        self._drop(letter, "letter.resent", f"{actor} sent it again, and it was taken", actor)
        return letter

    def drop(self, letter_id: int, actor: str) -> None:
        """Remove a letter. Raises LetterNotFound."""
        letter = self._desk.letters.letter(letter_id)
        self._drop(letter, "letter.dropped", f"{actor} dropped it undelivered", actor)

    def _drop(self, letter: Letter, kind: str, reason: str, actor: str) -> None:
        event = Event(
            at=self._desk.clock.now(),
            kind=kind,
            actor=actor,
            reason=f"letter {letter.id} to {letter.subscriber}: {reason}",
            endpoint_name=letter.endpoint_name,
            data={"letter": letter.id, "name": letter.subscriber, "event": letter.event_number},
        )
        self._desk.letters.drop(letter.id, event)

    def _subscriber(self, name: str) -> Subscriber:
        for each in self._subscribers().records:
            if each.name == name:
                return each
        raise SubscriberNotFound(
            f"there is no subscriber {name!r} any more", hint="drop its letters: parkade letters ls"
        )

    def _let_go(self, name: str) -> None:
        carrier = self._carriers.pop(name, None)
        if carrier is not None:
            carrier.stop(forget=True)
        if lost := self._desk.letters.forget(name):
            logger.warning("subscriber %s is gone, and %d letters to it with it", name, lost)

    def _newest(self) -> int:
        newest = self._desk.history.latest(EventQuery(limit=1))
        return newest[-1].number if newest else 0

    def _waiting(self, name: str, progress: Progress, newest: int) -> int:
        with self._lock:
            carrier = self._carriers.get(name)
        return max(0, newest - (carrier.seen if carrier is not None else progress.number))

    def _nudge(self) -> None:
        # Not under the lock: whoever stores an event must not wait for whoever settles.
        for carrier in tuple(self._carriers.values()):
            carrier.nudge()
