"""What is done with an endpoint's invocations once they are over: some are captured, some copied.

Only invocations that were answered with success are captured: what SageMaker does with others is not
documented, and a monitor that reads the files could not tell an error text from a prediction.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.apps.gateway import headers
from parkade.apps.gateway.capture import Captured, Payload
from parkade.apps.gateway.sampling import CAPTURE_STEP, Sampler
from parkade.apps.gateway.shadow import Shadow
from parkade.domain.ownrequests import is_own

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from parkade.apps.gateway.counters import Ledger
    from parkade.apps.gateway.news import News
    from parkade.apps.gateway.scribe import Scribe
    from parkade.apps.gateway.tap import Seen

_CAPTURE_DROPPED = (
    "calls were not captured: more came than could be written down; capture a smaller share, or see "
    "whether the disk is slow"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What all taps of a gateway work with. `wall` tells real time in seconds of the epoch."""

    loop: asyncio.AbstractEventLoop
    wall: Callable[[], float]
    ledger: Ledger
    scribe: Scribe
    news: News


class EndpointTap:
    """The tap of one endpoint."""

    __slots__ = ("_capture", "_endpoint", "_means", "_samplers", "_shadows", "keeps")

    def __init__(self, endpoint: str, means: Means) -> None:
        self._endpoint = endpoint
        self._means = means
        self._capture: link.CaptureView | None = None
        #: By variant: they take turns, and a sampler of all would follow one of them.
        self._samplers: dict[str, Sampler] = {}
        self._shadows: dict[str, Shadow] = {}
        self.keeps = 0

    def update(self, view: link.EndpointView, limits: link.Limits) -> None:
        """Take up the snapshot's view."""
        former = self._capture
        self._capture = capture = view.capture
        if capture is None or former is None or capture.percentage != former.percentage:
            self._samplers = {}
        wanted = capture is not None and capture.outputs and capture.percentage
        self.keeps = limits.body_bytes if wanted else 0
        gone = self._shadows
        self._shadows = {}
        production = sum(route.weight for route in view.variants)
        for route in view.shadows:
            shadow = gone.pop(route.name, None)
            if shadow is None:
                shadow = Shadow(self._endpoint, route.name, self._means, self._shadowed)
            shadow.update(route, production, limits)
            self._shadows[route.name] = shadow
        for shadow in gone.values():
            shadow.vanish()

    def vanish(self) -> None:
        """Look at nothing any more."""
        self._capture = None
        for shadow in self._shadows.values():
            shadow.vanish()
        self._shadows = {}

    def __call__(self, seen: Seen) -> None:
        """Take note of an invocation that is over, once its answer is on the way."""
        self._means.loop.call_soon(self._look, seen)

    def _look(self, seen: Seen) -> None:
        if is_own(seen.inference_id):
            # What compares and tests is no traffic of users, and is not to pass for it.
            return
        event_id = str(uuid.uuid4()) if self._samples(seen.variant) else ""
        if event_id:
            self._write(seen, event_id)
        for shadow in self._shadows.values():
            shadow.copy(seen, event_id)

    def _shadowed(self, seen: Seen, event_id: str) -> None:
        """Capture a shadow's answer where the production variant's was to be captured, too.

        Their lines have the same id, so that they can be compared.
        """
        if event_id and self._capture is not None:
            self._write(seen, event_id)

    def _samples(self, variant: str) -> bool:
        if self._capture is None:
            return False
        sampler = self._samplers.get(variant)
        if sampler is None:
            share = self._capture.percentage / 100
            sampler = self._samplers[variant] = Sampler(share, CAPTURE_STEP)
        return sampler.take()

    def _write(self, seen: Seen, event_id: str) -> None:
        capture = self._capture
        assert capture is not None  # noqa: S101  callers have looked
        if not (200 <= seen.status < 300 and 200 <= seen.model_status < 300):
            return
        # Of a stream that is longer than answers may be there are the first bytes only. They
        # would pass for the answer: the line goes without one.
        whole = capture.outputs and not seen.cut
        if not (capture.inputs or whole):
            return
        call = Captured(
            view=capture,
            endpoint=self._endpoint,
            variant=seen.variant,
            event_id=event_id,
            at=self._means.wall() - (monotonic() - seen.started),
            sent=_payload(seen.body, seen.content_type) if capture.inputs else None,
            answered=_payload(seen.answer, seen.answer_type) if whole else None,
            inference_id=seen.inference_id,
            custom_attributes=_custom_attributes(seen.lines),
        )
        if not self._means.scribe.write(call):
            self._means.news.count("capture.dropped", self._endpoint, _CAPTURE_DROPPED)


def _payload(pieces: Sequence[bytes], content_type: bytes) -> Payload:
    return Payload(pieces=pieces, content_type=content_type.decode("latin-1"))


def _custom_attributes(lines: Sequence[bytes]) -> str:
    for name, value in pairwise(lines):
        if name == headers.ATTRIBUTES:
            return value.decode("latin-1")
    return ""


class Taps:
    """Makes the taps of the endpoints that somebody looks at."""

    def __init__(self, means: Means) -> None:
        #: The newest snapshot's.
        self.limits = link.Limits()
        self._means = means

    def of(
        self, endpoint: str, view: link.EndpointView, former: EndpointTap | None
    ) -> EndpointTap | None:
        """Return the endpoint's tap as the snapshot's view wants it; None: it wants none."""
        if view.capture is None and not view.shadows:
            if former is not None:
                former.vanish()
            return None
        tap = former or EndpointTap(endpoint, self._means)
        tap.update(view, self.limits)
        return tap
