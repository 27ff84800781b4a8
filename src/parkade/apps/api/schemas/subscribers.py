"""The forms of subscribers and of letters."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.alarm import State
from parkade.domain.subscriber import Channel, Filter, Letter, Shape, Subscriber
from parkade.services.outbox import Delivery

#: Numbers of events, and ids, are 64-bit.
_MOST = 2**63 - 1


class SubscriberForm(Form):
    """A new subscriber."""

    name: str = Field(examples=["ops"])
    kind: Literal["webhook", "email", "slack", "command"] = Field(
        description="How it is reached; a command can be named in server.yaml alone."
    )
    url: str = Field("", description="webhook, slack: where to post.")
    secret: str = Field(
        "",
        description="webhook: a `whsec_` secret to sign with; left out, one is made and shown "
        "this once.",
    )
    to: list[str] = Field(
        [], description="email: addresses; `owner` is the owner's, where it is one."
    )
    kinds: list[str] = Field(
        [],
        description="Kinds of events, or nouns with their dot; empty: all.",
        examples=[["lease."]],
    )
    endpoints: list[str] = Field(
        [], description="Endpoint names, with `*` and `?`; empty: all.", examples=[["team-*"]]
    )
    owners: list[str] = Field([], description="Owners; empty: all.")
    alarms: list[str] = Field(
        [],
        description="Names of alarms, with `*` and `?`. Where some are given, of alarms those "
        "alone are heard, and of other things only what `endpoints` names.",
        examples=[["text-*"]],
    )
    alarm_states: list[State] = Field(
        [],
        description="Of changes of alarms, those alone that lead into one of these states or out "
        "of it; empty: all.",
        examples=[["ALARM"]],
    )
    projects: list[str] = Field(
        [],
        description="Names of projects, with `*` and `?`. Where some are given, of projects those "
        "alone are heard, and of other things only what `alarms` and `endpoints` name.",
        examples=[["ShopDemo"]],
    )
    shape: Literal["parkade", "eventbridge"] = Field(
        "parkade", description="webhook: the form of what is delivered."
    )
    enabled: bool = True
    since: Annotated[int, Field(ge=0, le=_MOST, strict=True)] | None = Field(
        None, description="Begin after the event of this number; left out: with new events."
    )

    def subscriber(self) -> Subscriber:
        """Return what is asked for. Raises InvalidInput."""
        return Subscriber(
            name=self.name,
            channel=Channel(self.kind),
            filter=Filter(
                kinds=tuple(self.kinds),
                endpoints=tuple(self.endpoints),
                owners=tuple(self.owners),
                alarms=tuple(self.alarms),
                alarm_states=tuple(self.alarm_states),
                projects=tuple(self.projects),
            ),
            shape=Shape(self.shape),
            enabled=self.enabled,
            url=self.url,
            secret=self.secret,
            to=tuple(self.to),
            # The service says where commands belong.
            command=("-",) if self.kind == "command" else (),
        )


class SubscriberView(View):
    """A subscriber, without its secrets, and how its delivery stands."""

    name: str
    kind: Channel
    address: str = Field(description="Where it is reached; of a URL no more than its host.")
    signed: bool
    kinds: list[str]
    endpoints: list[str]
    owners: list[str]
    alarms: list[str]
    alarm_states: list[State]
    projects: list[str]
    shape: Shape
    enabled: bool
    fixed: bool = Field(description="Set in server.yaml, and changed there alone.")
    state: Literal["delivering", "failing", "disabled", "unknown"] = Field(
        description="failing: the last attempt was in vain."
    )
    number: int | None = Field(description="All events up to this one are done with.")
    waiting: int = Field(description="Events that were not looked at yet, of interest or not.")
    letters: int = Field(description="Events that could not be delivered.")
    failing_since: datetime | None
    cause: str = Field(description="Why the last attempt was in vain.")
    delivered_at: datetime | None
    made_at: datetime | None

    @classmethod
    def of(
        cls, subscriber: Subscriber, delivery: Delivery | None, *, fixed: bool
    ) -> "SubscriberView":
        """Write a subscriber."""
        return cls(**_told(subscriber, delivery, fixed=fixed))


class AddedSubscriberView(SubscriberView):
    """A new subscriber; a secret that was made for it is shown this once."""

    secret: str = Field(description="Empty where it was given, or there is none.")

    @classmethod
    def with_secret(
        cls, subscriber: Subscriber, delivery: Delivery | None, secret: str
    ) -> "AddedSubscriberView":
        """Write a subscriber that has just been added."""
        return cls(**_told(subscriber, delivery, fixed=False), secret=secret)


class SubscriberList(View):
    """One page of subscribers."""

    subscribers: list[SubscriberView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Why others cannot be read, by name; nothing is delivered to those."
    )


class LetterView(View):
    """An event that could not be delivered to a subscriber."""

    id: int
    subscriber: str
    event_number: int
    event_kind: str
    endpoint_name: str
    attempts: int
    cause: str
    buried_at: datetime

    @classmethod
    def of(cls, letter: Letter) -> "LetterView":
        """Write a letter."""
        return cls(
            id=letter.id,
            subscriber=letter.subscriber,
            event_number=letter.event_number,
            event_kind=letter.event_kind,
            endpoint_name=letter.endpoint_name,
            attempts=letter.attempts,
            cause=letter.cause,
            buried_at=letter.buried_at,
        )


class LetterList(View):
    """One page of letters."""

    letters: list[LetterView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")


class RemovedView(View):
    """What went with a subscriber."""

    name: str
    letters: int = Field(description="How many letters to it are gone.")


def _told(subscriber: Subscriber, delivery: Delivery | None, *, fixed: bool) -> dict[str, Any]:
    progress = delivery.progress if delivery is not None else None
    failing = progress is not None and progress.failing_since is not None
    state = "failing" if failing else "delivering" if progress is not None else "unknown"
    return {
        "name": subscriber.name,
        "kind": subscriber.channel,
        "address": subscriber.address,
        "signed": bool(subscriber.secret),
        "kinds": list(subscriber.filter.kinds),
        "endpoints": list(subscriber.filter.endpoints),
        "owners": list(subscriber.filter.owners),
        "alarms": list(subscriber.filter.alarms),
        "alarm_states": list(subscriber.filter.alarm_states),
        "projects": list(subscriber.filter.projects),
        "shape": subscriber.shape,
        "enabled": subscriber.enabled,
        "fixed": fixed,
        "state": state if subscriber.enabled else "disabled",
        "number": progress.number if progress else None,
        "waiting": delivery.waiting if delivery else 0,
        "letters": delivery.letters if delivery else 0,
        "failing_since": progress.failing_since if progress else None,
        "cause": progress.cause if progress else "",
        "delivered_at": progress.delivered_at if progress else None,
        "made_at": subscriber.made_at,
    }
