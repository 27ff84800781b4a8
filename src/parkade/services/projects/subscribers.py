"""Keeps the subscribers of projects.

What is told of one, in plans too, holds neither its secret nor a URL, which may be one: only their
fingerprints, so that it shows when they change.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from parkade.domain.alarm import State
from parkade.domain.errors import InvalidInput, SubscriberNotFound
from parkade.domain.project.part import Kind
from parkade.domain.subscriber import Channel, Filter, Shape, Subscriber
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.keeper import Condition, Progress, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.services.projects.keeper import Errand
    from parkade.services.subscribers import Subscribers

_LISTS = ("to", "kinds", "endpoints", "owners", "alarms", "alarm_states", "projects")
_MEMBERS = frozenset({"kind", "url", "secret", "shape", *_LISTS})
#: Hexadecimal digits of a fingerprint.
_DIGITS = 12
_NO_MAIL = (
    "nothing is delivered: there is no mail server. To do: add mail to server.yaml (see "
    "docs/events.md), then: parkade reload"
)


class SubscriberKeeper(AtOnce):
    """The keeper of subscribers. `mail` tells whether there is a mail server."""

    kind = Kind.SUBSCRIBER

    def __init__(self, subscribers: Subscribers, *, mail: Callable[[], bool]) -> None:
        self._subscribers = subscribers
        self._mail = mail

    def check(self, part: Part, project: Project) -> None:  # noqa: ARG002  the protocol's
        """Raise InvalidInput for one that cannot be, AlreadyExists for a name of server.yaml.

        One by mail can be where there is no mail server yet, as everywhere: `condition` says so.
        """
        self._subscribers.require_addable(_subscriber(part.name, part.content))

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return what is known of it, its secrets as fingerprints."""
        there = self._there(name)
        return _told(there) if there is not None else None

    def settled(self, part: Part, found: Mapping[str, Json] | None) -> Mapping[str, Json]:
        """Return the same of the wanted one. Whether it is disabled, people decide."""
        wanted = _told(_subscriber(part.name, part.content))
        enabled = found["enabled"] if found is not None else True
        return {**wanted, "enabled": enabled}

    def put(self, part: Part, errand: Errand) -> None:
        """Add the subscriber, or change it; it goes on where it had got to."""
        wanted = _subscriber(part.name, part.content)
        there = self._there(part.name)
        if there is not None:
            wanted = replace(wanted, enabled=there.enabled)
        self._subscribers.put(wanted, actor=errand.actor)

    def progress(self, part: Part, errand: Errand) -> Progress:  # noqa: ARG002  the protocol's
        """Tell that it is there, and what it still lacks."""
        return Progress(stage=Stage.DONE, text=self._lacking(part))

    def remove(self, name: str, errand: Errand) -> None:
        """Remove it, with the letters to it."""
        try:
            self._subscribers.remove(name, actor=errand.actor)
        except SubscriberNotFound:
            return  # it is not there, as was asked

    def condition(self, part: Part) -> Condition:
        """Tell how its delivery goes."""
        there = self._there(part.name)
        if there is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        if not there.enabled:
            return Condition(state="disabled", text=there.address)
        if lacking := self._lacking(part):
            return Condition(state="undelivered", text=lacking, troubled=True)
        delivery = self._subscribers.deliveries().get(part.name)
        progress = delivery.progress if delivery is not None else None
        if progress is not None and progress.failing_since is not None:
            return Condition(state="failing", text=progress.cause, troubled=True)
        letters = delivery.letters if delivery is not None else 0
        text = there.address + (f", {letters} letters" if letters else "")
        return Condition(state="delivering", text=text, troubled=bool(letters))

    def _lacking(self, part: Part) -> str:
        lacks = part.content.get("kind") == Channel.EMAIL and not self._mail()
        return _NO_MAIL if lacks else ""

    def _there(self, name: str) -> Subscriber | None:
        try:
            return self._subscribers.get(name)
        except SubscriberNotFound:
            return None


def _subscriber(name: str, content: Mapping[str, Json]) -> Subscriber:
    given = cast("Mapping[str, Any]", content)
    if unknown := sorted(given.keys() - _MEMBERS):
        raise InvalidInput(f"a subscriber has no {unknown[0][:80]!r}", field=unknown[0][:80])
    channel, shape = given.get("kind"), given.get("shape", Shape.PARKADE)
    if channel not in list(Channel):
        raise InvalidInput(
            f"kind {str(channel)[:80]!r} is not one of {', '.join(Channel)}", field="kind"
        )
    if shape not in {Shape.PARKADE, Shape.EVENTBRIDGE}:
        raise InvalidInput(
            f"shape {str(shape)[:80]!r} is not one of parkade, eventbridge", field="shape"
        )
    lists = {member: tuple(given.get(member, ())) for member in _LISTS}
    return Subscriber(
        name=name,
        channel=Channel(channel),
        filter=Filter(
            kinds=lists["kinds"],
            endpoints=lists["endpoints"],
            owners=lists["owners"],
            alarms=lists["alarms"],
            alarm_states=_states(lists["alarm_states"]),
            projects=lists["projects"],
        ),
        shape=Shape(shape),
        url=given.get("url") or "",
        secret=given.get("secret") or "",
        to=lists["to"],
        # The service says where commands belong.
        command=("-",) if channel == Channel.COMMAND else (),
    )


def _states(given: tuple[str, ...]) -> tuple[State, ...]:
    for each in given:
        if each not in list(State):
            raise InvalidInput(
                f"alarm_states has {str(each)[:80]!r}, which is not one of {', '.join(State)}",
                field="alarm_states",
            )
    return tuple(map(State, given))


def _told(subscriber: Subscriber) -> dict[str, Json]:
    heard = subscriber.filter
    told: dict[str, Json] = {"kind": subscriber.channel.value, "enabled": subscriber.enabled}
    if subscriber.url:
        told["url"] = f"{subscriber.address} ({_fingerprint(subscriber.url)})"
    if subscriber.secret:
        told["secret"] = _fingerprint(subscriber.secret)
    if subscriber.shape is not Shape.PARKADE:
        told["shape"] = subscriber.shape.value
    for member, values in (
        ("to", subscriber.to),
        ("kinds", heard.kinds),
        ("endpoints", heard.endpoints),
        ("owners", heard.owners),
        ("alarms", heard.alarms),
        ("alarm_states", heard.alarm_states),
        ("projects", heard.projects),
    ):
        if values:
            told[member] = list(values)
    return told


def _fingerprint(text: str) -> str:
    return f"sha256 {hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"
