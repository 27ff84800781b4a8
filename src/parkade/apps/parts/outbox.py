"""Who hears of what: subscribers and their letters, notices, links that extend."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from parkade.adapters.command.program import CommandChannel
from parkade.adapters.smtp.mail import MailChannel, MailServer
from parkade.adapters.webhook.signed import WebhookChannel
from parkade.adapters.webhook.slack import SlackChannel
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.domain import eventbridge
from parkade.domain.errors import InvalidInput
from parkade.domain.event import document, written
from parkade.domain.subscriber import BUILT_IN, Channel, Filter, Patience, Shape, Subscriber
from parkade.ports.channels import Message
from parkade.services.carrier import Desk
from parkade.services.links import LinkRules, Links
from parkade.services.notices import RecordedNotices
from parkade.services.outbox import Outbox
from parkade.services.subscribers import Subscribers, everyone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.parts.stores import OwnStores
    from parkade.apps.serverfile import ServerFile
    from parkade.apps.settings import Settings
    from parkade.apps.statefolder import StatePaths
    from parkade.domain.event import Event, Json
    from parkade.domain.lease import Lease
    from parkade.ports.channels import Channel as ChannelPort
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.leases import LeaseBook
    from parkade.services.meter import Meter
    from parkade.services.quotes import Quotes

#: What a command gets of Parkade's environment.
_ENVIRONMENT = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What this area works with."""

    settings: Settings
    stores: OwnStores
    history: History
    book: LeaseBook
    clock: Clock
    wall: Clock
    server_key: bytes
    #: Tells the events of this server from those of all others.
    state_id: str
    file: Callable[[], ServerFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The services of this area."""

    outbox: Outbox
    subscribers: Subscribers
    notices: RecordedNotices
    links: Links
    #: An event in EventBridge's shape.
    envelope: Callable[[Event], Mapping[str, Json]]


def build(
    ports: Ports,
    meter: Callable[[], Meter],
    quotes: Callable[[], Quotes],
) -> Outgoing:
    """Build the services of this area; `meter` and `quotes` are made after it, and asked for late."""
    store = ports.stores.subscribers
    fixed = _Fixed(ports.file)

    def envelope(event: Event) -> Mapping[str, Json]:
        return eventbridge.rendered(event, _origin(ports))

    def price(lease: Lease, amount: timedelta) -> str:
        quoted = quotes().paid(lease, amount)
        return str(quoted.cost) if quoted is not None else ""

    def patience() -> Patience:
        return ports.file().outbox.patience()

    outbox = Outbox(
        Desk(
            history=ports.history,
            letters=ports.stores.letters,
            wall=ports.wall,
            clock=ports.clock,
            channel=lambda subscriber: _channel(subscriber, ports),
            message=lambda subscriber, event: _message(subscriber, event, ports, envelope),
            patience=patience,
        ),
        lambda: everyone(store, fixed()),
    )
    links = Links(
        book=ports.book,
        meter=meter,
        history=ports.history,
        clock=ports.clock,
        key=ports.server_key,
        rules=lambda: _link_rules(ports.file(), ports.settings.paths),
        price=price,
    )
    return Outgoing(
        outbox=outbox,
        subscribers=Subscribers(
            store, outbox=outbox, fixed=fixed, wall=ports.wall, clock=ports.clock
        ),
        notices=RecordedNotices(ports.history, links.make),
        links=links,
        envelope=envelope,
    )


class _Fixed:
    """The subscribers of the settings file, made anew when that was read anew."""

    def __init__(self, file: Callable[[], ServerFile]) -> None:
        self._file = file
        self._made: tuple[ServerFile, tuple[Subscriber, ...]] | None = None

    def __call__(self) -> tuple[Subscriber, ...]:
        file = self._file()
        if self._made is None or self._made[0] is not file:
            self._made = (file, subscribers_of(file))
        return self._made[1]


def subscribers_of(file: ServerFile) -> tuple[Subscriber, ...]:
    """Return the subscribers of a settings file. Raises InvalidInput for an unusable secret."""
    fixed = [each.subscriber(_secret(each.secret_file)) for each in file.subscribers]
    if file.warnings.webhook is not None:
        fixed.append(
            Subscriber(
                name=BUILT_IN,
                channel=Channel.WEBHOOK,
                filter=Filter(kinds=("notice.",)),
                shape=Shape.NOTICE,
                url=file.warnings.webhook,
            )
        )
    return tuple(fixed)


def _secret(path: str | None) -> str:
    try:
        return "" if path is None else Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"secret_file {path} cannot be read: {error}",
            field="subscribers",
            hint="name a file that holds a whsec_ secret",
        ) from error


def _origin(ports: Ports) -> eventbridge.Origin:
    return eventbridge.Origin(account=ACCOUNT, region=ports.file().region, source_id=ports.state_id)


def _link_rules(file: ServerFile, paths: StatePaths) -> LinkRules:
    links = file.links
    return LinkRules(
        enabled=links.enabled,
        amount=timedelta(minutes=links.minutes),
        lifetime=timedelta(hours=links.hours),
        base_url=links.base_url or _listened(paths),
    )


def _listened(paths: StatePaths) -> str:
    """Return the address that the supervisor wrote down; empty where none did."""
    try:
        return paths.url_file.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _message(
    subscriber: Subscriber,
    event: Event,
    ports: Ports,
    envelope: Callable[[Event], Mapping[str, Json]],
) -> Message:
    # What was never stored, a test, is another event each time.
    number = event.number or f"test_{secrets.token_hex(8)}"
    return Message(
        id=f"evt_{ports.state_id[:12]}_{number}",
        event=event,
        content=_content(subscriber.shape, event, envelope),
        sent_at=ports.wall.now(),
    )


def _content(
    shape: Shape, event: Event, envelope: Callable[[Event], Mapping[str, Json]]
) -> Mapping[str, Json]:
    match shape:
        case Shape.PARKADE:
            return document(event)
        case Shape.EVENTBRIDGE:
            return envelope(event)
        case Shape.NOTICE:
            return {
                "kind": event.data.get("notice", event.kind),
                "endpoint_name": event.endpoint_name,
                "owner": event.owner,
                "text": event.reason,
                "at": written(event.at),
                "expires_at": event.data.get("expires_at"),
                "link": event.data.get("link"),
            }
    assert_never(shape)


def _channel(subscriber: Subscriber, ports: Ports) -> ChannelPort:
    limits = ports.file().outbox
    match subscriber.channel:
        case Channel.WEBHOOK:
            return WebhookChannel(subscriber.url, subscriber.secret, patience=limits.answer_seconds)
        case Channel.SLACK:
            return SlackChannel(subscriber.url, patience=limits.answer_seconds)
        case Channel.EMAIL:
            return MailChannel(
                subscriber.to, lambda: _mail_server(ports.file()), patience=limits.mail_seconds
            )
        case Channel.COMMAND:
            inherited = dict(ports.settings.worker_environment)
            environment = {k: v for k, v in inherited.items() if k in _ENVIRONMENT}
            return CommandChannel(subscriber.command, environment, patience=limits.command_seconds)
    assert_never(subscriber.channel)


def _mail_server(file: ServerFile) -> MailServer | None:
    return MailServer(**file.mail.model_dump()) if file.mail is not None else None
