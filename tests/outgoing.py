"""The outbox's area over stores in memory, for tests: what `apps/parts/outbox.py` builds over SQLite."""

from types import SimpleNamespace

from parkade.adapters.memory.channel import MemoryChannel
from parkade.adapters.memory.letters import MemoryLetterStore
from parkade.adapters.memory.subscribers import MemorySubscriberStore
from parkade.domain import eventbridge
from parkade.domain.event import document
from parkade.domain.subscriber import Patience, Shape
from parkade.ports.channels import Message
from parkade.services.carrier import Desk
from parkade.services.links import LinkRules, Links
from parkade.services.notices import RecordedNotices
from parkade.services.outbox import Outbox
from parkade.services.subscribers import Subscribers, everyone
from tests.builders import minutes, seconds

ORIGIN = eventbridge.Origin(account="000000000000", region="eu-west-1", source_id="here")
#: No test waits between two attempts.
AT_ONCE = Patience(attempts=3, first=seconds(0), longest=seconds(0))


def outgoing(history, *, book, meter, clock, wall, fixed=(), patience=AT_ONCE):
    """The area; `channels` holds the channel of each subscriber by name, made when asked for."""
    store = MemorySubscriberStore(history)
    letters = MemoryLetterStore(history)
    channels = {}
    file = SimpleNamespace(fixed=list(fixed))
    rules = SimpleNamespace(
        now=LinkRules(
            enabled=True,
            amount=minutes(30),
            lifetime=minutes(24 * 60),
            base_url="http://parkade.example",
        )
    )

    def channel(subscriber):
        return channels.setdefault(subscriber.name, MemoryChannel())

    def envelope(event):
        return eventbridge.rendered(event, ORIGIN)

    def message(subscriber, event):
        content = envelope(event) if subscriber.shape is Shape.EVENTBRIDGE else document(event)
        return Message(
            id=f"evt_here_{event.number}", event=event, content=content, sent_at=wall.now()
        )

    outbox = Outbox(
        Desk(
            history=history,
            letters=letters,
            wall=wall,
            clock=clock,
            channel=channel,
            message=message,
            patience=lambda: patience,
        ),
        lambda: everyone(store, file.fixed),
    )
    links = Links(
        book=book,
        meter=lambda: meter,
        history=history,
        clock=clock,
        key=b"key",
        rules=lambda: rules.now,
    )
    return SimpleNamespace(
        outbox=outbox,
        subscribers=Subscribers(
            store, outbox=outbox, fixed=lambda: file.fixed, wall=wall, clock=clock
        ),
        notices=RecordedNotices(history, links.make),
        links=links,
        envelope=envelope,
        store=store,
        letters=letters,
        channels=channels,
        channel=channel,
        file=file,
        rules=rules,
    )
