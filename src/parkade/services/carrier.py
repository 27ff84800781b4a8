"""A carrier: brings the events of the history to one subscriber, in their order.

    history  1 2 3 4 5 6 7
                   ^ progress: all up to here is delivered, a letter, or of no interest

Each has a thread of its own, so that a receiver that hangs holds up nobody else. The progress is
stored after an event was taken: whoever is killed in between delivers it again, and misses none.
An event that is refused too often, or for good, becomes a letter, and the next has its turn.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential,
    wait_random,
)

from parkade.domain.errors import ParkadeError, Undelivered
from parkade.domain.event import OUTBOX, Event, written
from parkade.domain.spans import duration
from parkade.domain.subscriber import Letter, Progress
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.subscriber import Patience, Subscriber
    from parkade.ports.channels import Channel, Message
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.letters import LetterStore

logger = logging.getLogger(__name__)

#: A subscriber, and the channel to it as it is then.
_Form: TypeAlias = "tuple[Subscriber, Channel]"

#: How many events are read at once.
_BATCH = 200
#: Progress beyond events of no interest is stored this rarely: reading those again is harmless.
_SELDOM = 1000
#: Seconds before the store is asked again after it could not be used.
_MENDING = 1.0
#: The longest that a receiver is left alone because it asked for that.
_LONGEST_ASKED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all carriers share."""

    history: History
    letters: LetterStore
    wall: Clock
    #: The clock of the history.
    clock: Clock
    channel: Callable[[Subscriber], Channel]
    message: Callable[[Subscriber, Event], Message]
    patience: Callable[[], Patience]


class Carrier:
    """Delivers to one subscriber until it is stopped."""

    def __init__(self, subscriber: Subscriber, progress: Progress, desk: Desk) -> None:
        self.progress = progress
        #: All events up to this number were looked at.
        self.seen = progress.number
        self._desk = desk
        # Both at once, for other threads change them.
        self._form: _Form = (subscriber, desk.channel(subscriber))
        #: Read and not yet looked at.
        self._read: deque[Event] = deque()
        self._stopped = threading.Event()
        self._forgotten = False
        #: There may be something to do.
        self._woken = threading.Event()
        #: A pause between two attempts is to end.
        self._stirred = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"carrier of {subscriber.name}", daemon=True
        )

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    @property
    def subscriber(self) -> Subscriber:
        """Whom it delivers to, as last configured."""
        return self._form[0]

    def nudge(self) -> None:
        """Look for new events."""
        self._woken.set()

    def configure(self, subscriber: Subscriber) -> None:
        """Go on with another form of the subscriber; what is being tried is tried again at once."""
        self._form = (subscriber, self._desk.channel(subscriber))
        self._stirred.set()
        self._woken.set()

    def stop(self, *, forget: bool = False) -> None:
        """Deliver no more; an attempt under way is not waited for.

        What comes of it is noted, unless the subscriber is to be forgotten.
        """
        self._forgotten = forget
        self._stopped.set()
        self._stirred.set()
        self._woken.set()

    def join(self, limit: float) -> bool:
        """Wait until nothing is under way any more, for so many seconds; tell whether that is so."""
        self._thread.join(limit)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.clear()
            try:
                found = self._next() if self.subscriber.enabled else None
                if found is not None:
                    self._carry(*found)
            except Exception as error:
                # The store, or a bug: what was not noted is done again.
                known = isinstance(error, ParkadeError)
                logger.error(  # noqa: TRY400  with its trace where it is a bug
                    "delivery to %s cannot go on: %s",
                    self.subscriber.name,
                    error,
                    exc_info=None if known else error,
                )
                self._look_again(self.progress.number)
                self._stopped.wait(_MENDING)
            else:
                if found is None:
                    self._woken.wait()

    def _next(self) -> tuple[Event, _Form] | None:
        """Return the next event of interest, and to which form it is; None: there is none now."""
        while True:
            if not self._read:
                query = EventQuery(after=self.seen, limit=_BATCH)
                self._read.extend(self._desk.history.read(query))
                if not self._read:
                    return None
            # Not the form of before that look: what happened since it was changed is not passed by.
            event, form = self._read.popleft(), self._form
            if not form[0].enabled:
                self._look_again(event.number - 1)
                return None
            if form[0].hears(event):
                return event, form
            self.seen = event.number
            if self.seen - self.progress.number >= _SELDOM:
                self._note(self.progress.passed(self.seen))

    def _look_again(self, number: int) -> None:
        self._read.clear()
        self.seen = number

    def _carry(self, event: Event, form: _Form) -> None:
        # One that is changed before this is another form, at which the attempt looks.
        self._stirred.clear()
        patience = self._desk.patience()
        retrying = Retrying(
            retry=retry_if_exception_type(_Again),
            wait=_Wait(patience),
            sleep=self._rest,
        )
        retrying(self._attempt, event, patience, form)

    def _attempt(self, event: Event, patience: Patience, form: _Form) -> None:
        """Try once. Raises _Again where it is to be tried again later."""
        if self._stopped.is_set():
            return
        if form is not self._form:
            # It may not want this event any more, or any: look again.
            self._look_again(event.number - 1)
            return
        subscriber, channel = form
        try:
            channel.deliver(self._desk.message(subscriber, event))
        except Undelivered as error:
            refusal = error
        except Exception as error:
            logger.exception("delivery to %s", subscriber.name)
            refusal = Undelivered(f"a fault in Parkade itself ({type(error).__name__}: {error})")
        else:
            self._taken(event)
            return
        now = self._desk.wall.now()
        failed = self.progress.failed(refusal.message, now)
        logger.warning(
            "event %d was not delivered to %s: %s", event.number, subscriber.name, refusal.message
        )
        if refusal.final or failed.attempts >= patience.attempts:
            self._bury(event, failed)
            return
        self._note(failed)
        raise _Again(refusal.retry_after)

    def _taken(self, event: Event) -> None:
        now = self._desk.wall.now()
        told, since = self.progress.told, self.progress.failing_since
        self._note(self.progress.delivered(event.number, now))
        self.seen = event.number
        if told and since is not None:
            self._desk.history.append(
                self._word(
                    "subscriber.recovered", f"it takes events again, after {duration(now - since)}"
                )
            )

    def _bury(self, event: Event, failed: Progress) -> None:
        """Keep the event as a letter; that delivery fails is told once until it works again."""
        now = self._desk.wall.now()
        letter = Letter(
            subscriber=failed.subscriber,
            event_number=event.number,
            event_kind=event.kind,
            endpoint_name=event.endpoint_name,
            attempts=failed.attempts,
            cause=failed.cause,
            buried_at=now,
        )
        word = None
        if not failed.told:
            since = written(failed.failing_since or now)
            word = self._word(
                "subscriber.failing",
                f"event {event.number} was given up and is kept as a letter: {failed.cause}",
                since,
            )
        passed = Progress(
            subscriber=failed.subscriber,
            number=event.number,
            failing_since=failed.failing_since,
            cause=failed.cause,
            delivered_at=failed.delivered_at,
            told=True,
        )
        if not self._forgotten:
            self._desk.letters.bury(letter, passed, word)
        self.progress = passed
        self.seen = event.number

    def _word(self, kind: str, reason: str, since: str = "") -> Event:
        data = {"name": self.subscriber.name, "channel": str(self.subscriber.channel)}
        return Event(
            at=self._desk.clock.now(),
            kind=kind,
            actor=OUTBOX,
            reason=f"subscriber {self.subscriber.name}: {reason}",
            data={**data, "failing_since": since} if since else data,
        )

    def _note(self, progress: Progress) -> None:
        # First here: a full disk must not have the same event delivered over and over.
        self.progress = progress
        if not self._forgotten:
            self._desk.letters.note(progress)

    def _rest(self, seconds: float) -> None:
        """Wait; a stop or another form of the subscriber cuts it short."""
        self._stirred.wait(seconds)


class _Again(Exception):
    """The event is to be tried again; the receiver asked for this pause at least."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__()
        self.pause = pause


class _Wait:
    """How long to wait before the next attempt: longer each time, or as the receiver asked."""

    def __init__(self, patience: Patience) -> None:
        first = patience.first.total_seconds()
        longest = patience.longest.total_seconds()
        self._own = wait_exponential(multiplier=first, max=longest) + wait_random(0, first)

    def __call__(self, state: RetryCallState) -> float:
        asked = timedelta(0)
        if state.outcome is not None and isinstance(error := state.outcome.exception(), _Again):
            asked = min(error.pause, _LONGEST_ASKED)
        return max(self._own(state), asked.total_seconds())
