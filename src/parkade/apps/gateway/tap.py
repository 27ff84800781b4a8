"""What is seen of an invocation once it is over, by data capture and shadow variants.

An endpoint that nobody looks at has no tap, and its invocations pay for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.gateway.headers import CONTENT_TYPE
from parkade.apps.gateway.upstream import answer_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.gateway.headers import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An invocation that a model was asked, as it went; nothing in it may be changed."""

    #: The request's number, which is part of its id.
    number: int
    #: Name of the production variant, or of the inference component.
    variant: str
    asked: Asked
    #: Seconds by `time.monotonic`: when its headers came, and for how long the model had it.
    started: float
    model_seconds: float
    #: The head that the model got: its start, then beginnings and values of headers in turn.
    lines: Sequence[bytes]
    body: Sequence[bytes]
    #: The status that the caller got, and the model's own; 0: the model gave no usable answer.
    status: int
    model_status: int
    #: The model's headers that came back: beginning, value and line end of each in turn.
    answer_lines: Sequence[bytes]
    #: What the caller got, of a stream the first bytes alone.
    answer: Sequence[bytes]
    streamed: bool
    #: Whether more than `answer` was streamed.
    cut: bool

    @property
    def content_type(self) -> bytes:
        """Content type of the request; empty: none."""
        named = zip(self.lines[1::2], self.lines[2::2], strict=True)
        return next((value for line, value in named if line == CONTENT_TYPE), b"")

    @property
    def answer_type(self) -> bytes:
        """Content type of the model's answer; empty: none."""
        return answer_type(self.answer_lines)

    @property
    def inference_id(self) -> str:
        """What the caller named the request; empty: nothing."""
        return self.asked.inference_id
