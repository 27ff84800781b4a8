"""Shadow variants: copies of requests, for a model that is tried on real traffic.

A copy is made once its request was answered, so it can neither delay nor fail it. Its answer is
dropped; what is kept of it are the counts under the shadow's name, and what is captured. A copy
shares the bytes of its request. So that a shadow that is slow, or dead, costs no more than a little
memory there is a bound to the copies under way, to those that wait, and to their bytes: over it a copy
is dropped, and counted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway.deadlines import Deadlines
from parkade.apps.gateway.sampling import SHADOW_STEP, Sampler
from parkade.apps.gateway.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps import link
    from parkade.apps.gateway.instances import Instance
    from parkade.apps.gateway.pipelines import Relay
    from parkade.apps.gateway.tap import Seen
    from parkade.apps.gateway.taps import Means
    from parkade.apps.gateway.upstream import WorkerConnection

#: Copies that one shadow variant has at a time, that wait for it, and the bytes of both.
CONCURRENCY = 32
WAITING = 256
BYTES = 64 * 1024**2

_DROPPED = "requests were not copied to shadow variant {name}: {why}"
_BUSY = "it answers more slowly than they come; give it more instances, or a smaller weight"
_UNFIT = "they ask for what it has not, or it has as many as it takes at a time"
_AWAY = "none of its instances accepts requests; see: parkade logs"


class Copy:
    """One request on its way through a shadow variant; carried like an invocation."""

    def __init__(
        self,
        shadow: Shadow,
        seen: Seen,
        event_id: str,
        limit: int,
        patience: Deadlines[Copy],
    ) -> None:
        self.seen = seen
        self.asked = seen.asked
        self.event_id = event_id
        self.size = sum(map(len, seen.body))
        self.made = monotonic()
        #: The time limit that it is under.
        self.patience = patience
        self._shadow = shadow
        # What instances and connections look at, and set.
        self.limit = limit
        self.events = False
        self.sent = 0.0
        self.instance: Instance | None = None
        self.connection: WorkerConnection | None = None
        self.at = 0
        self.relay: Relay | None = None
        self.target = ""

        # What has come of an answer in parts, as far as it is kept.
        self._status = 0
        self._lines: list[bytes] = []
        self._kept: list[bytes] = []
        self._length = 0

    @property
    def streams(self) -> bool:
        """Take what the caller would get as it comes."""
        return self.relay is None or self.relay.last

    @property
    def sent_first(self) -> float:
        """When it was sent to the first container; 0: never."""
        return self.sent if self.relay is None else self.relay.began or self.sent

    def request(self) -> list[bytes]:
        """Return the pieces of the request as the production variant got them."""
        if self.relay is not None:
            return self.relay.request(self.seen.lines, self.seen.body, self.size)
        length = b"\r\nContent-Length: %d\r\n\r\n" % self.size
        return [*self.seen.lines, length, *self.seen.body]

    def answered(self, status: int, lines: list[bytes], chunks: list[bytes], size: int) -> None:
        """Count the answer, and hand it to whoever captures it; or bring it on."""
        self.connection = None
        if 200 <= status < 300 and not self.streams:
            assert self.relay is not None  # noqa: S101  it has more containers to go to
            assert self.instance is not None  # noqa: S101  it was sent
            self.relay.advance(lines, chunks, size, self.sent)
            self.instance.containers[self.relay.at].carry(self)
            return
        self._shadow.answered(self, status, lines, chunks)

    def begun(self, status: int, lines: list[bytes]) -> None:
        """Take an answer in parts."""
        self._status, self._lines = status, lines
        self._shadow.begun(self)

    def part(self, pieces: list[bytes]) -> None:
        """Keep a part, unless it is too much."""
        self._length += sum(map(len, pieces))
        if self._length <= self.limit:
            self._kept += pieces

    def ended(self) -> None:
        """Count the answer that came in parts."""
        self.connection = None
        cut = self._length > self.limit
        self._shadow.answered(self, self._status, self._lines, self._kept, cut=cut, streamed=True)

    def broken(self, status: int, text: str) -> None:
        """Count an answer that is not usable."""
        del status, text
        self.connection = None
        self._shadow.failed(self)

    def bereft(self) -> None:
        """Count a worker that went away with it; it is not tried again."""
        self.connection = None
        self._shadow.failed(self)

    def refused(self) -> None:
        """Look for another place: the instance does not accept connections."""
        if self.relay is not None:
            self.relay.restart()
        self._shadow.displaced(self)

    def expire(self) -> None:
        """Count that the model took too long."""
        if self.connection is not None:
            self.connection.abort()
            self.connection = None
        self._shadow.failed(self)


class Shadow:
    """One shadow variant of an endpoint."""

    def __init__(
        self, endpoint: str, name: str, means: Means, answered: Callable[[Seen, str], None]
    ) -> None:
        """Call `answered` with what the shadow answered with success, and the copy's event id."""
        self._endpoint = endpoint
        self._name = name
        self._means = means
        self._answered = answered
        self._counter = means.ledger.of(endpoint, name)
        self._variant = Variant(name, self._counter)
        self._sampler = Sampler(0.0, SHADOW_STEP)
        self._limit = 0
        self._waiting: deque[Copy] = deque()
        self._under_way = 0
        self._bytes = 0
        self._patience: Deadlines[Copy] = Deadlines(means.loop, 0, Copy.expire)
        self._stream_patience = self._patience

    def update(self, route: link.VariantRoute, production: float, limits: link.Limits) -> None:
        """Take up the snapshot's view; `production` is the weight of what is copied."""
        # Where the production variant weighs nothing it has all requests all the same.
        self._sampler.share = min(1.0, route.weight / (production or 1.0))
        self._limit = limits.body_bytes
        # What was begun under the former limits keeps them.
        self._patience = Deadlines(self._means.loop, limits.model_seconds, Copy.expire)
        self._stream_patience = Deadlines(self._means.loop, limits.stream_seconds, Copy.expire)
        self._variant.update(route, self._refresh)
        self._refresh()

    def vanish(self) -> None:
        """Take nothing new; what is under way is finished, what waits is dropped."""
        self._sampler.share = 0.0
        self._variant.vanish()
        self._refresh()

    def copy(self, seen: Seen, event_id: str) -> None:
        """Copy a request that was answered, if it is one of the share."""
        if not self._sampler.take():
            return
        made = Copy(self, seen, event_id, self._limit, self._patience)
        if self._variant.multi_model or self._variant.prepare(made, self._endpoint) is not None:
            self._drop(_UNFIT)
            return
        full = len(self._waiting) >= WAITING or self._bytes + made.size > BYTES
        if full or not self._variant.open:
            self._drop(_BUSY if full else _AWAY)
            return
        self._bytes += made.size
        self._counter.in_flight += 1
        made.patience.start(made)
        self._waiting.append(made)
        self._pump()

    # What copies tell it.

    def begun(self, copy: Copy) -> None:
        """Count an answer that is streamed, and give it the time of streams."""
        self._counter.begun(monotonic() - copy.sent_first)
        copy.patience.drop(copy)
        copy.patience = self._stream_patience
        copy.patience.start(copy)

    def answered(
        self,
        copy: Copy,
        status: int,
        lines: list[bytes],
        chunks: list[bytes],
        *,
        streamed: bool = False,
        cut: bool = False,
    ) -> None:
        """Count an answer."""
        if 200 <= status < 300:
            seen = replace(
                copy.seen,
                variant=self._name,
                model_seconds=monotonic() - copy.sent_first,
                status=status,
                model_status=status,
                answer_lines=lines,
                answer=chunks,
                streamed=streamed,
                cut=cut,
            )
            self._end(copy)
            self._answered(seen, copy.event_id)
            return
        self.failed(copy, status)

    def failed(self, copy: Copy, status: int = 0) -> None:
        """Count a copy that has no answer, status 0, or none of success."""
        self._counter.failed(status)
        self._end(copy)

    def displaced(self, copy: Copy) -> None:
        """Let a copy wait that an instance did not take."""
        self._release(copy)
        self._waiting.appendleft(copy)
        self._refresh()

    def _end(self, copy: Copy) -> None:
        now = monotonic()
        model = now - copy.sent_first if copy.sent else 0.0
        self._counter.count(model, now - copy.made - model)
        if copy.instance is None:
            self._waiting.remove(copy)
        else:
            self._release(copy)
        self._forget(copy)
        self._pump()

    def _release(self, copy: Copy) -> None:
        assert copy.instance is not None  # noqa: S101  it was under way
        copy.instance.in_flight -= 1
        copy.instance = None
        self._under_way -= 1

    def _forget(self, copy: Copy) -> None:
        copy.patience.drop(copy)
        self._counter.in_flight -= 1
        self._bytes -= copy.size

    def _pump(self) -> None:
        """Give what waits to instances, as far as they take it."""
        while self._waiting and self._under_way < CONCURRENCY and self._variant.open:
            instance = self._variant.pick()
            if instance is None:
                return
            copy = self._waiting.popleft()
            self._under_way += 1
            instance.take(copy)

    def _refresh(self) -> None:
        """Look again which instances accept connections; with none, nothing waits for them."""
        self._variant.open = [each for each in self._variant.instances if not each.refusing]
        while self._waiting and not self._variant.open:
            self._forget(self._waiting.popleft())
            self._drop(_AWAY)
        self._pump()

    def _drop(self, why: str) -> None:
        self._counter.dropped += 1
        reason = _DROPPED.format(name=self._name, why=why)
        self._means.news.count("shadow.dropped", self._endpoint, reason)
