"""One invocation, from its headers to its answer.

It is the exchange that a client connection hands requests for models to, and what travels
through dispatch to a worker connection and back. It keeps the pieces of the body as they were
read until the answer is there, for they may have to be sent to a second worker.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Iterable, Sequence

    from parkade.apps.gateway.client import Client
    from parkade.apps.gateway.deadlines import Deadlines
    from parkade.apps.gateway.dispatch import Endpoint, Variant
    from parkade.apps.gateway.upstream import Instance, WorkerConnection

#: Request headers that reach the worker, as SageMaker does it; all others are stripped.
PASSED = {
    name.lower().encode(): b"\r\n%b: " % name.encode()
    for name in (
        "Content-Type",
        "Accept",
        "X-Amzn-SageMaker-Custom-Attributes",
        "X-Amzn-SageMaker-Target-Model",
        "X-Amzn-SageMaker-Target-Variant",
        "X-Amzn-SageMaker-Inference-Id",
        "X-Amzn-SageMaker-Session-Id",
        "traceparent",
        "tracestate",
    )
}
_TARGET_VARIANT = PASSED[b"x-amzn-sagemaker-target-variant"]
#: Seconds before the second try. A worker that is killed closes its connections one by one and
#: may close its listening socket last: a new connection to it could yet be accepted, and lost.
RETRY_PAUSE = 0.1
_START = b"POST /invocations HTTP/1.1\r\nHost: localhost"


class Invocation:
    """A request for a model. Its client calls begin, feed, end and cancel."""

    __slots__ = (
        "_chunks",
        "_client",
        "_complete",
        "_endpoint",
        "_expects",
        "_lines",
        "_patience",
        "_pause",
        "_refusal",
        "_signed",
        "_size",
        "_started",
        "connection",
        "instance",
        "keep",
        "limit",
        "number",
        "queue",
        "sent",
        "shunned",
        "tries",
        "variant",
        "wanted",
    )

    def __init__(
        self,
        client: Client,
        endpoint: Endpoint,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        public: bool,
        keep: bool,
    ) -> None:
        gateway = client.gateway
        self._client = client
        self._endpoint = endpoint
        self._started = monotonic()
        self._chunks: list[bytes] = []
        self._size = 0
        self._complete = False
        self._patience: Deadlines[Invocation] | None = None
        self._pause: asyncio.TimerHandle | None = None
        #: Whether the client's connection stays open after the answer.
        self.keep = keep
        #: Rises with every request of this gateway.
        self.number = gateway.next_number()
        #: How large the answer may be, and the body.
        self.limit = gateway.fleet.body_bytes
        #: Name of the target variant; empty: any.
        self.wanted = ""
        #: How often a worker went away with it, and which did.
        self.tries = 0
        self.shunned: Instance | None = None
        #: When it was last sent to a worker; 0: never yet.
        self.sent = 0.0
        # Where it is: drawn for a variant, in a queue or in an instance, and on a connection.
        self.variant: Variant | None = None
        self.queue: OrderedDict[Invocation, None] | None = None
        self.instance: Instance | None = None
        self.connection: WorkerConnection | None = None
        credential, length = self._read(headers)
        #: Target and headers, where a signature waits for the whole request.
        self._signed: tuple[bytes, Sequence[tuple[bytes, bytes]]] | None = None
        self._refusal = None if public else client.admit(credential, endpoint.name)
        if self._refusal is answers.SIGNED:
            self._refusal, self._signed = None, (target, headers)
        if length > self.limit:
            self._reject(answers.too_large(self.limit))

    def _read(self, headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, int]:
        """Sort the headers; return credential and length of the body."""
        credential, length = b"", 0
        self._expects = False
        self._lines = lines = [_START]
        for name, value in headers:
            key = name.lower()
            line = PASSED.get(key)
            if line is not None:
                lines += (line, value)
                if line is _TARGET_VARIANT:
                    self.wanted = value.decode("latin-1")
            elif key == b"authorization":
                credential = value
            elif key == b"content-length":
                length = int(value)
            elif key == b"expect":
                self._expects = value.lower() == b"100-continue"
        return credential, length

    # What its client tells it.

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
        self._size += len(chunk)
        if self._size > self.limit:
            self._reject(answers.too_large(self.limit))
            if self._client.current is self:
                self._go()

    def end(self) -> None:
        """Know that the body is whole."""
        self._complete = True
        if self._client.current is self:
            self._go()

    def cancel(self) -> None:
        """Drop it: the caller has gone away."""
        if self.variant is not None:
            self.variant.counter.invocations += 1
        self._hang_up()
        self._leave()

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
        if self._refusal is not None:
            self.refuse(self._refusal)
            return
        fleet = self._client.gateway.fleet
        if self._endpoint.refusal is not None:
            # It may have been deleted and created again while the body came.
            self._endpoint = fleet.endpoint(self._endpoint.name)
        self._patience = fleet.patience
        self._patience.start(self)
        self._endpoint.admit(self)

    # What dispatch and the worker's side tell it.

    def request(self) -> list[bytes]:
        """Return the pieces of the request as a worker gets it."""
        return [*self._lines, b"\r\nContent-Length: %d\r\n\r\n" % self._size, *self._chunks]

    def refuse(self, answer: answers.Answer) -> None:
        """Answer without the model."""
        self._leave()
        self._client.answer(self, answer)

    def refused(self) -> None:
        """Look for another place: the instance does not accept connections."""
        self._endpoint.free(self)
        self._endpoint.place(self)

    def bereft(self) -> None:
        """Look for another worker, once: this one went away before it began to answer."""
        self.connection = None
        assert self.variant is not None  # noqa: S101  it was sent
        counter = self.variant.counter
        if self.tries:
            self._count()
            counter.model_errors += 1
            self.refuse(answers.WORKER_GONE)
            return
        self.tries = 1
        self.shunned = self.instance
        counter.retried += 1
        self._endpoint.free(self)
        loop = asyncio.get_running_loop()
        self._pause = loop.call_later(RETRY_PAUSE, self._endpoint.place, self)

    def answered(self, status: int, lines: list[bytes], chunks: list[bytes], size: int) -> None:
        """Answer what the model answered."""
        self.connection = None
        variant = self.variant
        assert variant is not None  # noqa: S101  it was sent
        self._count()
        if 200 <= status < 300:
            client = self._client
            head = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % size, variant.header, *lines]
            self._leave()
            client.respond(self, head, chunks)
            return
        counter = variant.counter
        counter.model_errors += 1
        if 400 <= status < 500:
            counter.errors_4xx += 1
        elif status >= 500:
            counter.errors_5xx += 1
        text = b"".join(chunks).decode("utf-8", "replace")
        self.refuse(answers.model_error(self._endpoint.name, status, text))

    def broken(self, status: int, text: str) -> None:
        """Answer that the model's answer is not usable."""
        self.connection = None
        self._fail(status, text)

    def expire(self) -> None:
        """Answer that the model took too long, or that no worker was free in time."""
        self._hang_up()
        self._fail(0, answers.TIMED_OUT)

    def _fail(self, status: int, text: str) -> None:
        if self.variant is not None:
            self._count()
            self.variant.counter.model_errors += 1
        self.refuse(answers.model_error(self._endpoint.name, status, text))

    def _count(self) -> None:
        assert self.variant is not None  # noqa: S101  callers have looked
        counter = self.variant.counter
        now = monotonic()
        model = now - self.sent if self.sent else 0.0
        counter.invocations += 1
        counter.model_us += int(model * 1e6)
        counter.overhead_us += int((now - self._started - model) * 1e6)

    def _hang_up(self) -> None:
        """Take the request away from its worker, which drops it where it has not begun."""
        if self.connection is not None:
            self.connection.abort()
            self.connection = None

    def _leave(self) -> None:
        if self._patience is not None:
            self._patience.drop(self)
            self._patience = None
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._endpoint.leave(self)
        self._chunks = []
