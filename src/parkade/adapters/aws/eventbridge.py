"""Events of the history on an EventBridge bus, in Parkade's own shape (`domain/eventbridge.py`).

What SageMaker and CloudWatch say of endpoints and alarms comes from themselves on AWS: nobody else
may send in their name. PutEvents takes ten events a call, and may take some of them and not others:
those are sent again, a few times, and who is still not told of is returned.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tenacity

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import ParkadeError
from parkade.domain.event import document
from parkade.domain.eventbridge import OWN, Origin, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.adapters.aws.account import Account
    from parkade.domain.event import Event

#: EventBridge's own limits of one PutEvents: events, and bytes of all of them together.
EVENTS, BYTES = 10, 256 * 1024
#: bytes. What the members beside Detail count for at most, names of resources among them.
_BESIDE = 1024
_ATTEMPTS = 4
#: Refusals of single events that pass by themselves.
_PASSING = frozenset({"ThrottlingException", "InternalFailure", "InternalException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """An event that the bus has not taken, and why; `final`: nor will it."""

    event: Event
    why: str
    final: bool


class EventBus:
    """Sends events to one bus, by its name or ARN.

    `pause` is the longest wait before what was not taken is sent for the second time, in seconds;
    it doubles from then on.
    """

    def __init__(
        self, account: Account, bus_name: str, *, origin: Origin | None = None, pause: float = 0.2
    ) -> None:
        self._account = account
        self._bus_name = bus_name
        self._origin = origin
        self._pause = pause

    def tell(self, events: Sequence[Event]) -> tuple[Untold, ...]:
        """Send the events, in their order; return those that were not taken, with the reason.

        Raises what `calling` raises where the account's number is not known, with nothing sent.
        """
        untold: list[Untold] = []
        for batch in self._batches(events, untold):
            untold += self._send(batch)
        return tuple(untold)

    def _batches(
        self, events: Sequence[Event], untold: list[Untold]
    ) -> Iterator[list[tuple[Event, dict[str, Any]]]]:
        batch: list[tuple[Event, dict[str, Any]]] = []
        size = 0
        for event in events:
            entry = self._entry(event)
            more = len(entry["Detail"].encode()) + _BESIDE
            if more > BYTES:
                why = f"it has {more} bytes, and EventBridge takes {BYTES}"
                untold.append(Untold(event=event, why=why, final=True))
                continue
            if batch and (len(batch) == EVENTS or size + more > BYTES):
                yield batch
                batch, size = [], 0
            batch.append((event, entry))
            size += more
        if batch:
            yield batch

    def _send(self, batch: Sequence[tuple[Event, dict[str, Any]]]) -> list[Untold]:
        """Send one batch, and what of it is not taken again, as long as that may help."""
        left = list(batch)
        refused: list[Untold] = []
        passing: list[Untold] = []
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(bool),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=self._pause),
            retry_error_callback=lambda _state: None,
        )

        def attempt() -> bool:
            """Return whether to try again."""
            nonlocal left, passing
            found = self._put(left)
            refused.extend(each for each in found if each.final)
            passing = [each for each in found if not each.final]
            again = {id(each.event) for each in passing}
            left = [each for each in left if id(each[0]) in again]
            return bool(left)

        try:
            retrying(attempt)
        except ParkadeError as error:  # botocore has tried again already
            passing = [Untold(event=each, why=error.message, final=False) for each, _ in left]
        return refused + passing

    def _put(self, batch: Sequence[tuple[Event, dict[str, Any]]]) -> list[Untold]:
        with calling(f"event bus {self._bus_name!r} cannot be told"):
            answer = self._account.client("events").put_events(
                Entries=[entry for _, entry in batch]
            )
        return [
            Untold(
                event=event,
                why=f"event bus {self._bus_name!r}: {code}: {told.get('ErrorMessage', '')}",
                final=code not in _PASSING,
            )
            for (event, _), told in zip(batch, answer["Entries"], strict=True)
            if (code := told.get("ErrorCode"))
        ]

    def _entry(self, event: Event) -> dict[str, Any]:
        resources = [self._from().endpoint_arn(event.endpoint_name)] if event.endpoint_name else []
        return {
            "Time": event.at,
            "Source": OWN,
            "Resources": resources,
            "DetailType": title_of(event.kind),
            "Detail": json.dumps(document(event), ensure_ascii=False),
            "EventBusName": self._bus_name,
        }

    def _from(self) -> Origin:
        if self._origin is None:
            self._origin = Origin(
                account=self._account.number(), region=self._account.region, source_id=""
            )
        return self._origin
