"""The gateway's end of the link: takes snapshots from control, brings usage and events to it.

While control is away the gateway serves by the last snapshot and keeps what it counts. Control
is there once it has sent a snapshot over the present connection; a connection alone says
nothing, for the supervisor holds the socket open.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from parkade.apps import link, linkcalls, snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.apps.gateway.calls import CallBook
    from parkade.apps.gateway.counters import Ledger
    from parkade.apps.gateway.news import News
    from parkade.apps.gateway.targets import Targets
    from parkade.apps.gateway.wishes import Wishes

#: Seconds until a link that is broken is tried again; doubles up to the longest.
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5

logger = logging.getLogger(__name__)


class _Sent(NamedTuple):
    """What one message has told."""

    usage: link.UsageReport
    happenings: Sequence[link.Happening]
    targets: list[dict[str, Any]]
    calls: Sequence[linkcalls.Calls]


class Link:
    """One end of the link; `first` is set with the first snapshot."""

    def __init__(
        self,
        path: str,
        *,
        apply: Callable[[link.Snapshot], None],
        ledger: Ledger,
        news: News,
        calls: CallBook,
        targets: Targets,
        wishes: Wishes,
    ) -> None:
        self.first = asyncio.Event()
        self._path = path
        self._apply = apply
        self._ledger = ledger
        self._news = news
        self._calls = calls
        self._targets = targets
        self._wishes = wishes
        self._period = 1.0
        #: Since when control is away; None: it is there.
        self._away: float | None = monotonic()
        self._writer: asyncio.StreamWriter | None = None
        self._reporter: asyncio.Task[None] | None = None
        self._number = 0
        #: Tells control that it is the same gateway again, or another.
        self._id = secrets.token_hex(8)
        #: When control last said that it has counted something.
        self._heard_at: float | None = None
        #: What was sent and not yet counted by control.
        self._sent: _Sent | None = None
        self._counted = asyncio.Event()

    def away(self) -> float:
        """Return for how many seconds control has been away; 0: it is there."""
        return 0.0 if self._away is None else monotonic() - self._away

    async def run(self) -> None:
        """Keep the link up for ever."""
        pause = FIRST_PAUSE
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            try:
                await self._talk(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError, json.JSONDecodeError) as error:
                logger.warning("control has left the link: %r", error)
            finally:
                writer.close()
            if self._away is None:
                pause = FIRST_PAUSE
                self._away = monotonic()
            await asyncio.sleep(pause)

    async def report_last(self, seconds: float) -> None:
        """Bring what was counted and not yet told, if control is there to hear it; take so long."""
        if self._reporter is None:
            return
        self._reporter.cancel()
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                await self._delivered()
                self._report(last=True)
                await self._delivered()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._ledger.tell_again()
        self._targets.joined()
        try:
            while True:
                self._heard(await link.read(reader))
        finally:
            self._writer = None
            if self._reporter is not None:
                self._reporter.cancel()
                self._reporter = None
            if self._sent is not None:
                self._ledger.give_back(self._sent.usage)
                self._news.give_back(self._sent.happenings)
                self._targets.give_back(self._sent.targets)
                self._calls.give_back(self._sent.calls)
                self._sent = None
                self._counted.set()

    def _heard(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "snapshot", "snapshot": dict(values)}:
                snapshot = snapshots.from_json(values)
                self._apply(snapshot)
                self._period = snapshot.limits.usage_seconds
                if self._away is not None:
                    self._away = None
                    self._wishes.joined()
                self.first.set()
                self.send({
                    "kind": "applied",
                    "version": snapshot.version,
                    "gateway": self._id,
                })  # fmt: skip
                if self._reporter is None:
                    self._reporter = asyncio.create_task(self._report_always())
            case {"kind": "counted", "number": self._number}:
                self._sent = None
                self._heard_at = monotonic()
                self._counted.set()
            case _ if not self._targets.heard(message):
                logger.error("control sent an unknown message %r", message.get("kind"))

    async def _report_always(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            await self._delivered()
            self._report()

    async def _delivered(self) -> None:
        if self._sent is not None:
            await self._counted.wait()

    def _report(self, *, last: bool = False) -> None:
        sent = self._sent = _Sent(
            usage=self._ledger.take(),
            happenings=self._news.take(),
            targets=self._targets.take(),
            calls=self._calls.take(),
        )
        self._number += 1
        self._counted.clear()
        self.send(
            {
                "kind": "usage",
                "number": self._number,
                "usage": link.usage_to_json(sent.usage),
                "events": [asdict(each) for each in sent.happenings],
                "targets": sent.targets,
                "calls": linkcalls.to_json(sent.calls),
                "gateway": self._id,
                "last": last,
                "silence": None if self._heard_at is None else monotonic() - self._heard_at,
            }
        )

    def ask(self, message: dict[str, Any]) -> None:
        """Send a message, if control is there, and has begun its work, to hear it."""
        if self._away is None:
            self.send(message)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message, if control is there to hear it."""
        if self._writer is not None:
            self._writer.write(link.frame(message))
