"""Exchanges: one request each, and what becomes of it.

An invocation, a passage to the control process, or a refusal, which is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.apps.gateway import answers
    from parkade.apps.gateway.client import Client


class Exchange(Protocol):
    """One request and what becomes of it. It calls `client.finished` when it is over."""

    #: Whether the client's connection stays open after the answer.
    keep: bool
    #: Rises with every request of this gateway.
    number: int

    def begin(self) -> None:
        """Take the turn on the connection; the request may not be whole yet."""
        ...

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        ...

    def end(self) -> None:
        """Know that the body is whole."""
        ...

    def cancel(self) -> None:
        """Drop everything: the caller has gone away."""
        ...

    def hold(self) -> None:
        """Send no more until told to go on: the caller reads slowly."""
        ...

    def go_on(self) -> None:
        """Send more."""
        ...


class Refusal:
    """An exchange that is answered without looking further."""

    def __init__(self, client: Client, answer: answers.Answer, *, keep: bool) -> None:
        self.keep = keep
        self.number = client.gateway.next_number()
        self._client = client
        self._answer = answer
        self._complete = False

    def begin(self) -> None:
        """Answer, once the request is whole if the connection is to stay."""
        if self._complete or not self.keep:
            self._client.answer(self, self._answer)

    def feed(self, chunk: bytes) -> None:
        """Drop the body."""

    def end(self) -> None:
        """Answer."""
        self._complete = True
        if self._client.current is self:
            self._client.answer(self, self._answer)

    def cancel(self) -> None:
        """Nothing is under way."""

    def hold(self) -> None:
        """Nothing more is to come."""

    def go_on(self) -> None:
        """Nothing more is to come."""
