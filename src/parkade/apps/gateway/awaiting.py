"""A request for a model that may have to wait until its endpoint serves.

While it is held, the time that its caller gave it runs; the model's begins when a worker has it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers
from parkade.apps.gateway.holding import Hold
from parkade.apps.gateway.incoming import Incoming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.gateway.client import Client
    from parkade.apps.gateway.deadlines import Deadlines
    from parkade.apps.gateway.doors import Door


class Awaiting(Incoming):
    """The part of an invocation that its endpoint's absence deals with."""

    __slots__ = ("_patience",)

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
        #: The limit that it is under; None: it is held, or not whole yet, or over.
        self._patience: Deadlines[Awaiting] | None = None

    @property
    def _span(self) -> float:
        """For how many seconds it was held at most, where its caller preferred that; 0: it was not."""
        return self._hold.span if self._hold is not None and self.asked.wait else 0.0

    @property
    def _model_patience(self) -> Deadlines[Awaiting]:
        """The time limit that its model is under."""
        return self._door.patience or self._client.gateway.fleet.patience

    # What its endpoint's absence tells it.

    @property
    def held(self) -> bool:
        """Tell whether it is held until the endpoint serves."""
        return self._hold is not None and self._hold.active

    def lack_of_room(self) -> answers.Answer | None:
        """Return why its body cannot be kept while it is held; None: it can, or is already."""
        holding = self._client.gateway.fleet.holding
        return holding.lack_of_room(self.size) if self._hold is None else None

    def be_held(self, seconds: float) -> None:
        """Wait for the endpoint to serve, for so long; the model's time has not begun."""
        if self._hold is None:
            self._hold = Hold(self._client.gateway.fleet.holding, self, self.size)
        if self._hold.begin(seconds, self.size) and self._patience is not None:
            self._patience.drop(self)
            self._patience = None

    def overdue(self) -> None:
        """Answer that the endpoint does not serve yet; where it does, wait as all others do."""
        absence = self._endpoint.absence
        if absence is not None:
            answer = absence.answer(self.asked)
            self.refuse(answers.waited(answer, self._span) if self._span else answer)
        elif not self._endpoint.lacks_capacity(self):
            self.let_go()

    @abstractmethod
    def expire(self) -> None:
        """Answer that the model took too long, or that no worker was free in time."""

    def let_go(self) -> None:
        """Begin the time that the model has: it is asked, or waits for a worker with all others."""
        assert self._hold is not None  # noqa: S101  it was held
        self._hold.end()
        self._patience = self._model_patience
        self._patience.start(self)
