"""Examples of answers that differ: the worst of them, as many as somebody reads."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Any, TypeAlias

from parkade.domain.comparing.answers import printable
from parkade.domain.replaying.replies import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.comparing.reading import Body
    from parkade.domain.replaying.replies import Judged

#: Examples that are kept.
KEPT = 20
#: Characters of a body that are shown.
SHOWN = 2000


#: Failed or not, how many places differ, how far numbers lie apart; of two alike the earlier one.
_Badness: TypeAlias = "tuple[bool, int, float, int]"


class Worst:
    """The worst of what was judged so far."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._heap: list[tuple[_Badness, dict[str, Any]]] = []

    def add(self, judged: Judged) -> None:
        """Keep it if it is bad enough."""
        if judged.verdict not in {Verdict.DIFFERS, Verdict.FAILED}:
            return
        comparison = judged.comparison
        badness = (
            judged.verdict is Verdict.FAILED,
            comparison.count + len(comparison.missing),
            _furthest(comparison.deviations),
            -next(self._numbers),
        )
        # Written down at once: the bodies of the others are let go.
        if len(self._heap) < KEPT:
            heapq.heappush(self._heap, (badness, _example(judged)))
        elif badness > self._heap[0][0]:
            heapq.heapreplace(self._heap, (badness, _example(judged)))

    def documents(self) -> list[dict[str, Any]]:
        """Return them as JSON, the worst first."""
        return [
            example for _, example in sorted(self._heap, key=lambda each: each[0], reverse=True)
        ]


def _furthest(deviations: Mapping[str, Sequence[float]]) -> float:
    return max((max(each) for each in deviations.values() if each), default=0.0)


def _example(judged: Judged) -> dict[str, Any]:
    replayed = judged.replayed
    return {
        "verdict": judged.verdict,
        "event_id": printable(replayed.call.event_id),
        "place": replayed.place,
        "status": replayed.candidate.status,
        "trouble": replayed.candidate.trouble or None,
        "input": _shown(replayed.call.sent),
        "before": _shown(replayed.reference),
        "after": _shown(replayed.candidate.body),
        "differences": [
            {"path": each.path, "before": each.before, "after": each.after}
            for each in judged.comparison.differences
        ],
        "more_differences": judged.comparison.count - len(judged.comparison.differences),
        "missing_fields": list(judged.comparison.missing),
    }


def _shown(body: Body | None) -> str | None:
    if body is None:
        return None
    data = body.data[: SHOWN * 4]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        # The cut may have gone through a character.
        if len(data) == len(body.data) or error.start < len(data) - 4:
            return f"<{len(body.data)} bytes of {body.content_type or 'no content type'}>"
        text = data[: error.start].decode()
    whole = len(text) <= SHOWN and len(data) == len(body.data)
    return text if whole else f"{text[: SHOWN - 1]}…"
