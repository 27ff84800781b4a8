"""Notices as a line of the log and, where there is a URL, as JSON by HTTP POST.

    {"kind", "endpoint_name", "owner", "text", "at", "expires_at"}

One thread sends them in order, so that nobody waits for a receiver. The history has each notice
already, from whoever tells it; only a delivery that failed for good is added, as `notice.failed`,
at the instant of the notice. No message names the URL: it may hold a secret of its own.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    wait_exponential,
)

from parkade.domain.errors import ParkadeError
from parkade.domain.event import METER, Event, written

if TYPE_CHECKING:
    from parkade.ports.events import History
    from parkade.ports.notices import Notice

logger = logging.getLogger(__name__)

_ATTEMPTS = 3


class WebhookNotices:
    """The notices port. `patience` is the receiver's time for each step of an answer, in seconds."""

    def __init__(
        self,
        url: str | None,
        history: History,
        *,
        patience: float = 5.0,
        pause: float = 1.0,
        room: int = 1000,
    ) -> None:
        self._url = url
        self._history = history
        self._patience = patience
        self._pause = pause
        self._room = room
        self._waiting: deque[Notice] = deque()
        self._sending: Notice | None = None
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, notice: Notice) -> None:
        """Log the notice, and queue it for the receiver if there is one."""
        logger.info("notice to %s: %s: %s", notice.owner, notice.endpoint_name, notice.text)
        with self._changed:
            if self._url is None:
                return
            full = len(self._waiting) >= self._room
            if not full and not self._closing.is_set():
                self._waiting.append(notice)
                self._wake()
                return
        self._record(notice, f"{self._room} others are waiting" if full else "Parkade stops")

    def redirect(self, url: str | None) -> None:
        """Send to another URL from now on, what is waiting included; None: drop it."""
        with self._changed:
            self._url = url

    def close(self, limit: float = 3.0) -> None:
        """Send what is waiting, for `limit` seconds at most; record what is left as failed."""
        self._closing.set()  # cuts the pauses between attempts short
        with self._changed:
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(limit)
        with self._changed:
            left = [*([self._sending] if self._sending else []), *self._waiting]
            self._sending = None
            self._waiting.clear()
        for notice in left:
            self._record(notice, "Parkade stopped before it was delivered")

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._send, name="notices", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _send(self) -> None:
        with httpx.Client(timeout=self._patience) as client:
            while (notice := self._next()) is not None:
                cause = self._deliver(client, notice)
                with self._changed:
                    given_up = self._sending is None  # `close` did not wait any longer
                    self._sending = None
                if cause and not given_up:
                    self._record(notice, cause)

    def _next(self) -> Notice | None:
        with self._changed:
            while not self._waiting:
                if self._closing.is_set():
                    return None
                self._changed.wait()
            self._sending = self._waiting.popleft()
            return self._sending

    def _deliver(self, client: httpx.Client, notice: Notice) -> str:
        """Return why the notice could not be delivered; empty where it was."""
        with self._changed:
            url = self._url
        if url is None:
            return ""
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=self._pause),
            sleep=sleep_using_event(self._closing),
            reraise=True,
        )
        try:
            retrying(_post, client, url, notice)
        except (_Failed, httpx.InvalidURL) as failure:
            return str(failure)
        return ""

    def _record(self, notice: Notice, cause: str) -> None:
        logger.error("a notice for %s was not delivered: %s", notice.endpoint_name, cause)
        event = Event(
            at=notice.at,
            kind="notice.failed",
            actor=METER,
            reason=f"a notice was not delivered: {cause}",
            endpoint_name=notice.endpoint_name,
            data={"notice": notice.kind, "owner": notice.owner, "text": notice.text},
        )
        try:
            self._history.append(event)
        except ParkadeError:
            logger.exception("that could not be recorded either")


class _Failed(Exception):
    """The receiver did not take it."""


class _Passing(_Failed):
    """The receiver may take it next time."""


def _post(client: httpx.Client, url: str, notice: Notice) -> None:
    content = {
        "kind": notice.kind,
        "endpoint_name": notice.endpoint_name,
        "owner": notice.owner,
        "text": notice.text,
        "at": written(notice.at),
        "expires_at": written(notice.expires_at) if notice.expires_at else None,
    }
    try:
        with client.stream("POST", url, json=content) as answer:
            status = answer.status_code
    except httpx.TransportError as error:
        raise _Passing(
            f"the receiver cannot be reached ({type(error).__name__}: {error})"
        ) from error
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _Passing(f"the receiver answered {status}")
    if not httpx.codes.is_success(status):
        raise _Failed(f"the receiver answered {status}")
