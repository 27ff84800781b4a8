"""One invocation, from its headers to its answer.

It is the exchange that a client connection hands requests for models to, and what travels
through dispatch to a worker connection and back. It keeps the pieces of the body as they were
read until the answer is there, for they may have to be sent to a second worker.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers, objections
from parkade.apps.gateway.awaiting import Awaiting
from parkade.apps.gateway.streams import Stream
from parkade.apps.gateway.tap import Seen
from parkade.apps.gateway.targets import not_loaded

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Sequence

    from parkade.apps.gateway.client import Client
    from parkade.apps.gateway.doors import Door
    from parkade.apps.gateway.instances import Instance
    from parkade.apps.gateway.pipelines import Relay
    from parkade.apps.gateway.targets import Copy
    from parkade.apps.gateway.upstream import WorkerConnection
    from parkade.apps.gateway.variants import Variant

#: Seconds before the second try. A worker that is killed closes its connections one by one and
#: may close its listening socket last: a new connection to it could yet be accepted, and lost.
RETRY_PAUSE = 0.1
#: The status of an answer that tells of the model's failure.
MODEL_ERROR = 424


class Invocation(Awaiting):
    """A request for a model. Its client calls begin, feed, end and cancel."""

    __slots__ = (
        "_pause",
        "_stream",
        "at",
        "cold_since",
        "connection",
        "copy",
        "instance",
        "is_cold",
        "queue",
        "relay",
        "sent",
        "shunned",
        "target",
        "tries",
        "variant",
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
        super().__init__(client, door, target, headers, keep=keep)
        self._pause: asyncio.TimerHandle | None = None
        self._stream: Stream | None = None
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
        #: Which container of an instance it begins with, and how far it is in a pipeline.
        self.at = 0
        self.relay: Relay | None = None
        #: The target model that it is for, if any, and where that is loaded.
        self.target = ""
        self.copy: Copy | None = None
        #: Whether that was in no instance when it was looked for last, and when it first was in
        #: none; 0: never.
        self.is_cold = False
        self.cold_since = 0.0

    # What its client tells it.

    def cancel(self) -> None:
        """Drop it: the caller has gone away."""
        if self.variant is not None:
            self.variant.counter.invocations += 1
        self._called(0, self._times())
        self._hang_up()
        self._leave()

    def hold(self) -> None:
        """Take no more of the answer: the caller reads slowly."""
        if self._stream is not None and self.connection is not None:
            self.connection.hold()

    def go_on(self) -> None:
        """Take more of the answer."""
        if self._stream is not None and self.connection is not None:
            self.connection.go_on()

    def abandon(self) -> None:
        """Come to an end at once, for the gateway does."""
        if self._stream is not None:
            self._hang_up()
            self._break_stream("InternalStreamFailure", answers.GATEWAY_ENDS)

    # What dispatch and the worker's side tell it.

    def aim(self, path: bytes) -> None:
        """Ask containers at another path than that for invocations."""
        self._lines[0] = b"POST %b HTTP/1.1\r\nHost: localhost" % path

    @property
    def streams(self) -> bool:
        """Tell whether the caller is to have the answer as it comes."""
        return self.relay is None or self.relay.last

    def request(self) -> list[bytes]:
        """Return the pieces of the request as a worker gets it."""
        if self.relay is not None:
            return self.relay.request(self._lines, self._chunks, self.size)
        return [*self._lines, b"\r\nContent-Length: %d\r\n\r\n" % self.size, *self._chunks]

    def refuse(self, answer: answers.Answer) -> None:
        """Answer without the model."""
        if self.caller.line and self.variant is not None:
            answer = answers.extended(answer, self.caller.line)
        self._called(answer.status, self._times())
        self._leave()
        self._client.answer(self, answer)

    def bootless(self, answer: answers.Answer) -> None:
        """Answer, and count, that its target model could not be had."""
        assert self.variant is not None  # noqa: S101  it waits for a variant's target model
        counter = self.variant.counter
        counter.invocations += 1
        if answer.status == MODEL_ERROR:
            counter.model_errors += 1
        else:
            counter.not_ready += 1
        self.refuse(answer)

    def refused(self) -> None:
        """Look for another place: the instance does not accept connections."""
        if self.relay is not None:
            self.relay.restart()
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
            if self._endpoint.tap is not None:
                self._show(500, 0, [], [answers.WORKER_GONE.body])
            self.refuse(answers.WORKER_GONE)
            return
        self.tries = 1
        self.shunned = self.instance
        counter.retried += 1
        if self.relay is not None:
            self.relay.restart()
        self._endpoint.free(self)
        loop = asyncio.get_running_loop()
        self._pause = loop.call_later(RETRY_PAUSE, self._endpoint.place, self)

    def answered(self, status: int, lines: list[bytes], chunks: list[bytes], size: int) -> None:
        """Answer what the model answered, or bring it to the next container."""
        self.connection = None
        variant = self.variant
        assert variant is not None  # noqa: S101  it was sent
        good = 200 <= status < 300
        if good and self.relay is not None and not self.relay.last:
            self._relay_on(lines, chunks, size)
            return
        if status == 404 and self.copy is not None and not_loaded(lines, chunks):
            self._client.gateway.targets.lost(self.copy)
            self.refused()
            return
        times = self._count()
        if good:
            client = self._client
            if self.asked.session:
                self._endpoint.sessions.heed(lines, variant, self.instance)
            if self._endpoint.tap is not None:
                self._show(200, status, lines, chunks)
            if self._hold is not None and self._span:
                lines += answers.applied(self._span)
            lines += self.caller.line
            self._called(200, times)
            head = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % size, variant.header, *lines]
            self._leave()
            client.respond(self, head, chunks)
            return
        variant.counter.failed(status)
        self._give_up(status, b"".join(chunks).decode("utf-8", "replace"))

    def begun(self, status: int, lines: list[bytes]) -> None:
        """Begin to answer: the rest comes in parts."""
        variant, endpoint = self.variant, self._endpoint
        assert variant is not None  # noqa: S101  it was sent
        variant.counter.begun(monotonic() - self._sent_first)
        if self.asked.session:
            endpoint.sessions.heed(lines, variant, self.instance)
        if self._span:
            lines += answers.applied(self._span)
        lines += self.caller.line
        if self._patience is not None:
            self._patience.drop(self)
        self._patience = self._client.gateway.fleet.stream_patience
        self._patience.start(self)
        self._stream = Stream(
            self._client,
            self,
            status,
            lines,
            variant.header,
            keeps=None if endpoint.tap is None else endpoint.tap.keeps,
        )
        if self._client.stuck:
            self.hold()

    def part(self, pieces: list[bytes]) -> None:
        """Pass on a part of the answer."""
        assert self._stream is not None  # noqa: S101  it was begun
        self._stream.send(pieces)

    def ended(self) -> None:
        """End an answer that was passed on in parts."""
        self._finish_stream(whole=True).end()

    def broken(self, status: int, text: str) -> None:
        """Answer that the model's answer is not usable."""
        self.connection = None
        self._fail(status, text, "StreamBroken")

    def expire(self) -> None:
        """Answer that the model took too long, or that no worker was free in time."""
        self._hang_up()
        if not self.sent and self._endpoint.bare:
            seconds = self._model_patience.seconds
            self.refuse(objections.not_ready(self._endpoint.name, seconds))
        elif self.is_cold and self.queue is not None:
            self.bootless(answers.TARGET_NOT_READY)
        else:
            self._fail(0, answers.TIMED_OUT.format(self._container), "ModelInvocationTimeExceeded")

    # How it does that.

    def _carry_out(self) -> None:
        fleet = self._client.gateway.fleet
        if self._endpoint.absence is not None:
            # It may have been deleted and created again while the body came.
            self._endpoint = fleet.endpoint(self._endpoint.name)
        elif self._hold is not None:
            self._hold.end()  # it serves by now
        self._patience = self._model_patience
        self._patience.start(self)
        self._endpoint.admit(self)

    @property
    def _container(self) -> str:
        """What the container that has it is called."""
        if self.variant is None:
            return answers.PRIMARY
        return self.variant.containers[self.at if self.relay is None else self.relay.at]

    @property
    def _sent_first(self) -> float:
        """When it was sent to the first container; 0: never."""
        return self.sent if self.relay is None else self.relay.began or self.sent

    def _relay_on(self, lines: list[bytes], chunks: list[bytes], size: int) -> None:
        assert self.relay is not None  # noqa: S101  it has more containers to go to
        assert self.instance is not None  # noqa: S101  it was sent
        self.relay.advance(lines, chunks, size, self.sent)
        self.instance.containers[self.relay.at].carry(self)

    def _fail(self, status: int, text: str, code: str) -> None:
        if self._stream is not None:
            self._break_stream("ModelStreamError", text, code)
            return
        if self.variant is not None:
            self._count()
            self.variant.counter.model_errors += 1
        self._give_up(status, text)

    def _give_up(self, status: int, text: str) -> None:
        """Answer that a container could not, or would not."""
        if self.copy is not None:
            self.copy.model_errors += 1
        answer = answers.model_error(self._endpoint.name, status, text, self._container)
        if self._endpoint.tap is not None and self.sent:
            self._show(answer.status, status, [], [answer.body])
        self.refuse(answer)

    def _finish_stream(self, *, whole: bool) -> Stream:
        stream = self._stream
        assert stream is not None  # noqa: S101  callers have looked
        self._called(200, self._count())
        if self._endpoint.tap is not None:
            status = stream.status if whole else 0
            self._show(200, status, stream.lines, stream.kept, cut=stream.cut)
        self.connection = self._stream = None
        self._leave()
        return stream

    def _break_stream(self, kind: str, text: str, code: str | None = None) -> None:
        if self.variant is not None:
            self.variant.counter.model_errors += 1
        self._finish_stream(whole=False).fail(kind, text, code)

    def _count(self) -> tuple[float, float]:
        """Count it for its variant; return how long it took, as `_times` does."""
        assert self.variant is not None  # noqa: S101  callers have looked
        times = whole, model = self._times()
        self.variant.counter.count(model, whole - model)
        if self.copy is not None:
            self.copy.count(model, self.sent - self.cold_since if self.cold_since else None)
        return times

    def _times(self) -> tuple[float, float]:
        """Return its seconds in all, and those since a model had it; 0: none had."""
        now = monotonic()
        sent = self.sent if self.relay is None else self._sent_first
        return now - self._started, now - sent if sent else 0.0

    def _called(self, status: int, times: tuple[float, float]) -> None:
        """Count the call by its path, once; status 0: its caller went away before the answer."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.count(status, times)

    def _show(
        self,
        status: int,
        model_status: int,
        lines: list[bytes],
        answer: list[bytes],
        *,
        cut: bool = False,
    ) -> None:
        """Let the endpoint's tap see how it went."""
        tap, variant = self._endpoint.tap, self.variant
        if tap is None or variant is None:
            return
        tap(
            Seen(
                number=self.number,
                variant=variant.name,
                asked=self.asked,
                started=self._started,
                model_seconds=monotonic() - self._sent_first,
                lines=self._lines,
                body=self._chunks,
                status=status,
                model_status=model_status,
                answer_lines=lines,
                answer=answer,
                streamed=self._stream is not None,
                cut=cut,
            )
        )

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
        if self._hold is not None:
            self._hold.end()
        self._endpoint.leave(self)
        self._chunks = []
