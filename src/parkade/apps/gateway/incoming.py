"""A request for a model as it comes in: its headers, its body, and whether it may go on.

Who may not invoke is told so when the turn comes, without reading the rest of a body that would be
dropped anyway. A signed request is judged when it is whole, for its signature covers the body.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers, objections
from parkade.apps.gateway.headers import NOTHING, Told, is_chunked, sort
from parkade.apps.gateway.holding import Hold
from parkade.apps.gateway.sticking import NOBODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.gateway.absence import Absence, Nowhere
    from parkade.apps.gateway.calls import PathCalls
    from parkade.apps.gateway.client import Client
    from parkade.apps.gateway.doors import Door

_START = b"POST /invocations HTTP/1.1\r\nHost: localhost"


class Incoming(ABC):
    """The half of an invocation that its caller makes; `_carry_out` begins the other."""

    __slots__ = (
        "_calls",
        "_chunks",
        "_client",
        "_complete",
        "_door",
        "_endpoint",
        "_expects",
        "_hold",
        "_lines",
        "_refusal",
        "_signed",
        "_started",
        "asked",
        "caller",
        "events",
        "keep",
        "limit",
        "number",
        "size",
    )

    def __init__(
        self,
        client: Client,
        door: Door,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        keep: bool,
    ) -> None:
        gateway = client.gateway
        self._client = client
        self._door = door
        self._endpoint = door.endpoint
        #: Where it is counted; None: it has been.
        self._calls: PathCalls | None = door.calls
        self._started = monotonic()
        self._chunks: list[bytes] = []
        #: Bytes of the body, as far as it has come.
        self.size = 0
        self._complete = False
        #: Whether the client's connection stays open after the answer.
        self.keep = keep
        #: Rises with every request of this gateway.
        self.number = gateway.next_number()
        #: How large the answer may be, unless it is streamed, and the body.
        self.limit = gateway.fleet.body_bytes
        #: Whether the answer is encoded as AWS's event stream.
        self.events = door.events
        self._lines = [_START]
        self.asked = NOTHING
        self._expects = False
        #: What is kept for it where it is held until the endpoint serves.
        self._hold: Hold | None = None
        #: Target and headers, where a signature waits for the whole request.
        self._signed: tuple[bytes, Sequence[tuple[bytes, bytes]]] | None = None
        credential, length, rare = sort(headers, self._lines, streams=self.events)
        self._refusal = None if door.public else client.admit(credential, self._endpoint.name)
        if self._refusal is answers.SIGNED:
            self._refusal, self._signed = None, (target, headers)
        elif door.rate is not None and self._refusal is None:
            self._refusal = door.rate.refusal()
        if rare:
            self._look_at(rare)
        #: Who gets the same variant each time, where its route tells callers apart.
        self.caller = NOBODY
        if door.sticky is not None and self._refusal is None:
            self.caller = door.sticky.find(headers)
        if length > self.limit:
            self._reject(answers.too_large(self.limit))
        if self._endpoint.absence is not None and self._refusal is None:
            self._take_room(self._endpoint.absence, length, headers)

    def _take_room(
        self,
        absence: Absence | Nowhere,
        length: int,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> None:
        """Take room for the body before it comes, if the caller is to be held."""
        if not absence.span(self.asked):
            return
        size = self.limit if is_chunked(headers) else length
        self._refusal = self._client.gateway.fleet.holding.lack_of_room(size)
        if self._refusal is None:
            self._hold = Hold(self._client.gateway.fleet.holding, self, size)

    def _look_at(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        told = Told(headers, self._lines, streams=self.events)
        self.asked = told.asked
        self._expects = told.expects
        if told.fault and self._refusal is None:
            self._refusal = objections.invalid(told.fault)

    def begin(self) -> None:
        """Take the turn on the client's connection."""
        if self._complete or (self._refusal is not None and not self.keep):
            self._go()
        elif self._expects:
            if self._refusal is None:
                self._client.proceed()
            else:
                # The body is not on its way yet: nothing is gained by waiting for it.
                self.keep = False
                self._go()

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the body; one that is refused anyway is dropped."""
        if self._refusal is not None:
            return
        self._chunks.append(chunk)
        self.size += len(chunk)
        if self.size > self.limit:
            self._reject(answers.too_large(self.limit))
            if self._client.current is self:
                self._go()

    def end(self) -> None:
        """Know that the body is whole."""
        self._complete = True
        if self._client.current is self:
            self._go()

    @abstractmethod
    def cancel(self) -> None:
        """Drop it: the caller has gone away."""

    @abstractmethod
    def hold(self) -> None:
        """Send no more until told to go on: the caller reads slowly."""

    @abstractmethod
    def go_on(self) -> None:
        """Send more."""

    @abstractmethod
    def refuse(self, answer: answers.Answer) -> None:
        """Answer without the model."""

    @abstractmethod
    def overdue(self) -> None:
        """Know that it was held for as long as its caller wants."""

    @abstractmethod
    def _carry_out(self) -> None:
        """Ask the model: the request is whole, and may be carried out."""

    def _reject(self, refusal: answers.Answer) -> None:
        """Refuse without reading the rest of the body."""
        self._refusal = refusal
        self._chunks = []
        self.keep = False

    def _go(self) -> None:
        if self._signed is not None and self._refusal is None:
            admission = self._client.gateway.admission
            self._refusal = admission.refusal_signed(
                *self._signed, self._chunks, self._endpoint.name
            )
            if self._refusal is None and self._door.rate is not None:
                self._refusal = self._door.rate.refusal()
        if self._refusal is not None:
            self.refuse(self._refusal)
        else:
            self._carry_out()
