"""`mail`, `subscribers`, `outbox`, `links`: who hears of what, and how."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from parkade.apps.sections.base import Section
from parkade.domain.alarm import State  # noqa: TC001  the form is read by its annotations
from parkade.domain.errors import InvalidInput
from parkade.domain.subscriber import BUILT_IN, Channel, Filter, Patience, Shape, Subscriber

_URL = r"^https?://.+"


class Mail(Section):
    """The server that e-mail goes through."""

    host: Annotated[str, Field(min_length=1)] = Field(description="name of the SMTP server.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=587, description="its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="how the connection is protected."
    )
    user: str | None = Field(default=None, description="name to log in with; null: no login.")
    password_file: str | None = Field(
        default=None, description="file that holds the password, so that this one need not."
    )
    ca_file: str | None = Field(
        default=None,
        description="PEM file with the certificates to trust; null: those of the system.",
    )
    sender: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] = Field(
        description="address that mail is from."
    )


class SubscriberSetting(Section):
    """A subscriber; see docs/events.md."""

    name: str = Field(description="its name; one that was added at run time gives way to it.")
    kind: Literal["webhook", "email", "slack", "command"] = Field(description="how it is reached.")
    url: str = Field(default="", description="webhook, slack: where to post.")
    secret_file: str | None = Field(
        default=None,
        description="webhook: file that holds the `whsec_` secret that deliveries are signed "
        "with; null: they are not signed.",
    )
    to: list[str] = Field(
        default=[], description="email: addresses; `owner` is the owner's, where it is one."
    )
    command: list[str] = Field(
        default=[], description="command: a program, by its full path, and its arguments."
    )
    kinds: list[str] = Field(
        default=[], description="kinds of events, or nouns such as `lease.`; empty: all."
    )
    endpoints: list[str] = Field(
        default=[], description="endpoint names, with `*` and `?`; empty: all."
    )
    owners: list[str] = Field(default=[], description="owners; empty: all.")
    alarms: list[str] = Field(
        default=[],
        description="names of alarms, with `*` and `?`: of alarms those alone, and of other things "
        "only what `endpoints` names; empty: all.",
    )
    alarm_states: list[State] = Field(
        default=[],
        description="of changes of alarms, those alone that lead into one of these states or out "
        "of it; empty: all.",
    )
    projects: list[str] = Field(
        default=[],
        description="names of projects, with `*` and `?`: of projects those alone, and of other "
        "things only what `alarms` and `endpoints` name; empty: all.",
    )
    shape: Literal["parkade", "eventbridge"] = Field(
        default="parkade", description="webhook, command: the form of what is delivered."
    )
    enabled: bool = Field(default=True, description="whether anything is delivered.")

    @model_validator(mode="after")
    def _usable(self) -> SubscriberSetting:
        try:
            self.subscriber(secret="")
        except InvalidInput as error:
            raise ValueError("; ".join(filter(None, (error.message, error.hint)))) from error
        if self.name == BUILT_IN:
            raise ValueError(f"the name {BUILT_IN} is that of the webhook of warnings")
        if self.command and not Path(self.command[0]).is_absolute():
            raise ValueError(f"command {self.command[0]!r} is not a full path")
        if self.secret_file is not None and self.kind != "webhook":
            raise ValueError(f"secret_file does not go with a subscriber of kind {self.kind}")
        return self

    def subscriber(self, secret: str) -> Subscriber:
        """Return the subscriber. Raises InvalidInput for what does not go together."""
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
            secret=secret,
            to=tuple(self.to),
            command=tuple(self.command),
        )


class Delivery(Section):
    """How subscribers are delivered to."""

    attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        default=12,
        description="how often an event is tried before it becomes a letter; see `parkade letters`.",
    )
    first_pause_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=1, description="seconds before the second attempt; each further pause is doubled."
    )
    longest_pause_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=300, description="seconds. No pause is longer, but where a receiver asks for it."
    )
    answer_seconds: Annotated[float, Field(gt=0, le=120)] = Field(
        default=5, description="seconds. A webhook's time to answer."
    )
    mail_seconds: Annotated[float, Field(gt=0, le=120)] = Field(
        default=20, description="seconds. The mail server's time for each step."
    )
    command_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=30, description="seconds. A command's time; then it is killed."
    )

    def patience(self) -> Patience:
        """Return how often is tried, and how long is waited."""
        return Patience(
            attempts=self.attempts,
            first=timedelta(seconds=self.first_pause_seconds),
            longest=timedelta(seconds=self.longest_pause_seconds),
        )


class Links(Section):
    """The links by which a notice's reader extends without login."""

    base_url: Annotated[str, Field(pattern=_URL)] | None = Field(
        default=None,
        description="URL by which people reach this server, for links in notices; null: the "
        "address it listens on.",
    )
    minutes: Annotated[float, Field(gt=0)] = Field(
        default=30, description="minutes that a link adds, once."
    )
    hours: Annotated[float, Field(gt=0, le=720)] = Field(
        default=24,
        description="hours that a link is good for, beyond the end of the time that was paid for.",
    )
    enabled: bool = Field(
        default=True,
        description="whether notices have such links at all; off, older ones do nothing either.",
    )
