"""Subscribers: those of the settings file, and those that admins add at run time."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import AlreadyExists, Conflict, InvalidInput, SubscriberNotFound
from parkade.domain.event import Event
from parkade.domain.subscriber import SECRET_PREFIX, Channel, Subscriber
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.ports.clock import Clock
    from parkade.ports.subscribers import SubscriberStore
    from parkade.services.outbox import Delivery, Outbox


class Subscribers:
    """Adds, changes and removes subscribers, and has the outbox go by them.

    `fixed` are those of the settings file: they go before stored ones of the same name, and are
    changed there alone.
    """

    def __init__(
        self,
        store: SubscriberStore,
        *,
        outbox: Outbox,
        fixed: Callable[[], Sequence[Subscriber]],
        wall: Clock,
        clock: Clock,
    ) -> None:
        """Take the store, the outbox that is to follow, and both clocks."""
        self._store = store
        self._outbox = outbox
        self._fixed = fixed
        self._wall = wall
        self._clock = clock

    def all(self) -> Sequence[Subscriber]:
        """Return every subscriber in the order of names."""
        return everyone(self._store, self._fixed()).records

    def unreadable(self) -> Mapping[str, str]:
        """Return why stored subscribers cannot be read, by name: nothing is delivered to them."""
        return self._store.all().unreadable

    def is_fixed(self, name: str) -> bool:
        """Tell whether the settings file holds it."""
        return any(each.name == name for each in self._fixed())

    def get(self, name: str) -> Subscriber:
        """Return the subscriber. Raises SubscriberNotFound."""
        for each in self.all():
            if each.name == name:
                return each
        raise SubscriberNotFound(
            f"there is no subscriber {name!r}", hint="see: parkade subscriber ls"
        )

    def deliveries(self) -> Mapping[str, Delivery]:
        """Return how delivery stands, by name."""
        return self._outbox.deliveries()

    def add(self, subscriber: Subscriber, *, actor: str, since: int | None = None) -> Subscriber:
        """Store a new one, which hears from now on, or of all after the event numbered `since`.

        A webhook without a secret is given one. Raises AlreadyExists, and InvalidInput for a
        command: programs are named in the settings file alone.
        """
        self.require_addable(subscriber)
        if subscriber.channel is Channel.WEBHOOK and not subscriber.secret:
            subscriber = replace(subscriber, secret=new_secret())
        subscriber = replace(subscriber, made_at=self._wall.now())
        reason = f"subscriber {subscriber.name} hears by {subscriber.channel}"
        self._store.add(subscriber, self._event("subscriber.added", subscriber.name, reason, actor))
        self._outbox.settle({} if since is None else {subscriber.name: since})
        return subscriber

    def put(self, subscriber: Subscriber, *, actor: str) -> None:
        """Store it over the one of its name, which goes on where it had got to; else a new one.

        Nothing is made up for it: a webhook without a secret is not signed. Raises InvalidInput and
        AlreadyExists as `add`, and for a name that the settings file has.
        """
        self.require_addable(subscriber)
        name = subscriber.name
        listing = self._store.all()
        former = next((each for each in listing.records if each.name == name), None)
        if former is None and name not in listing.unreadable:
            made = replace(subscriber, made_at=self._wall.now())
            reason = f"subscriber {name} hears by {subscriber.channel}"
            self._store.add(made, self._event("subscriber.added", name, reason, actor))
        else:
            made_at = former.made_at if former is not None else self._wall.now()
            changed = replace(subscriber, made_at=made_at)
            if changed == former:
                return
            reason = f"subscriber {name} was changed, and hears by {subscriber.channel}"
            self._store.replace(changed, self._event("subscriber.changed", name, reason, actor))
        self._outbox.settle()

    def require_addable(self, subscriber: Subscriber) -> None:
        """Raise InvalidInput for a command, and AlreadyExists for a name of the settings file."""
        if subscriber.channel is Channel.COMMAND:
            raise InvalidInput(
                "a subscriber that runs a program cannot be added at run time",
                field="kind",
                hint="name it in server.yaml, under subscribers",
            )
        if self.is_fixed(subscriber.name):
            raise AlreadyExists(
                f"server.yaml has a subscriber {subscriber.name!r}", hint="choose another name"
            )

    def enable(self, name: str, *, actor: str) -> Subscriber:
        """Go on delivering, with what happened meanwhile. Raises SubscriberNotFound."""
        return self._switch(name, actor, enabled=True)

    def disable(self, name: str, *, actor: str) -> Subscriber:
        """Deliver nothing for the time being. Raises SubscriberNotFound."""
        return self._switch(name, actor, enabled=False)

    def remove(self, name: str, *, actor: str) -> int:
        """Remove it with its letters; return how many there were. Raises SubscriberNotFound."""
        self._require_stored(name)
        lost = delivery.letters if (delivery := self.deliveries().get(name)) else 0
        reason = f"subscriber {name} was removed" + (f", with {lost} letters" if lost else "")
        self._store.remove(name, self._event("subscriber.removed", name, reason, actor))
        self._outbox.settle()
        return lost

    def _switch(self, name: str, actor: str, *, enabled: bool) -> Subscriber:
        self._require_stored(name)
        subscriber = self.get(name)
        if subscriber.enabled is enabled:
            return subscriber
        changed = replace(subscriber, enabled=enabled)
        word = "enabled" if enabled else "disabled"
        event = self._event(f"subscriber.{word}", name, f"subscriber {name} was {word}", actor)
        self._store.replace(changed, event)
        self._outbox.settle()
        return changed

    def _require_stored(self, name: str) -> None:
        if self.is_fixed(name):
            raise Conflict(
                f"subscriber {name!r} is set in server.yaml",
                hint="change it there, then: parkade reload",
            )

    def _event(self, kind: str, name: str, reason: str, actor: str) -> Event:
        return Event(
            at=self._clock.now(), kind=kind, actor=actor, reason=reason, data={"name": name}
        )


def everyone(store: SubscriberStore, fixed: Sequence[Subscriber]) -> Listing[Subscriber]:
    """Return the fixed ones and, where their names are free, the stored ones."""
    taken = {each.name for each in fixed}
    listing = store.all()
    stored = [each for each in listing.records if each.name not in taken]
    records = sorted((*fixed, *stored), key=lambda each: each.name)
    return Listing(tuple(records), listing.unreadable)


def new_secret() -> str:
    """Return a secret that webhooks can be signed with."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
