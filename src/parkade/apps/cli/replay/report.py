"""A replay's report as JSON: what was asked for, what was read, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from parkade.domain.event import written

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.apps.cli.aims import Aim
    from parkade.apps.cli.replay.files import Counts
    from parkade.apps.cli.replay.sending import Timing
    from parkade.domain.capturedcalls import Window
    from parkade.domain.comparing.answers import Rules
    from parkade.domain.replaying.tally import Tally


#: How answers are read where nothing else is asked for.
BY_TYPE = "by content type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for."""

    source: str
    candidate: Aim
    baseline: Aim | None
    rules: Rules
    window: Window
    #: A second; 0: as fast as may be.
    rate: float
    concurrency: int
    limit: int | None


def document(
    order: Order, counts: Counts, timing: Timing, tally: Tally, *, began: datetime, stopped: str
) -> dict[str, Any]:
    """Return the whole report; `stopped` says why it ended before its time, if it did."""
    return {
        "from": order.source,
        "to": _aim(order.candidate),
        "compared_with": "captured" if order.baseline is None else _aim(order.baseline),
        "rules": {
            "compare": order.rules.form or BY_TYPE,
            "fields": list(map(str, order.rules.fields)),
            "ignored": list(map(str, order.rules.ignored)),
            "tolerance": asdict(order.rules.tolerance),
        },
        "since": written(order.window.start) if order.window.start else None,
        "until": written(order.window.end) if order.window.end else None,
        "began_at": written(began),
        "stopped": stopped or None,
        "sending": {
            "rate_wanted": order.rate or None,
            "rate": timing.sent / timing.seconds if timing.seconds else None,
            "concurrency": order.concurrency,
            "seconds": timing.seconds,
            "sent": timing.sent,
            "held_back": timing.held_back,
            "most_seconds_late": timing.most_late,
        },
        "read": asdict(counts),
        **tally.document(),
    }


def _aim(aim: Aim) -> dict[str, Any]:
    return {
        "endpoint": aim.endpoint,
        "variant": aim.variant or None,
        "component": aim.component or None,
        "target_model": aim.model or None,
    }


def name_of(told: Any) -> str:
    """Write where requests went, or what they were compared with, for people."""
    if isinstance(told, str):
        return "what was captured"
    part = told["variant"] or told["component"]
    named = f"{told['endpoint']}/{part}" if part else str(told["endpoint"])
    return f"{named} ({told['target_model']})" if told["target_model"] else named
