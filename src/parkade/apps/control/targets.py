"""Between placement and the gateways: shows them what is loaded, takes what they ask for."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING, Any

from parkade.apps import link
from parkade.domain.errors import InvalidInput, NotFound, ParkadeError, StartFailed
from parkade.runtime.placement import Wanted
from parkade.runtime.tallies import TargetUse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parkade.runtime.placement import Placement
    from parkade.runtime.shelves import Copy

logger = logging.getLogger(__name__)


class GatewayBoard:
    """The board of placement, on all gateways that are connected."""

    def __init__(
        self, send: Callable[[str, dict[str, Any]], None], patience: Callable[[], float]
    ) -> None:
        """Send a message to the gateway of this name; `patience` is a request's, in seconds."""
        self._send = send
        self._patience = patience
        #: Those that have been told all that is loaded, and hear of changes.
        self._gateways: set[str] = set()
        self._numbers = count(1)
        #: Who has still requests under way with what is withdrawn, by number.
        self._awaited: dict[int, set[str]] = {}
        self._answered = asyncio.Event()

    def placed(self, copy: Copy) -> None:
        """Show the copy."""
        self._tell({"kind": "placed", "placed": _row(copy)})

    async def withdrawn(self, copy: Copy) -> None:
        """Take the copy down; return when nothing is under way with it, or no longer may be."""
        number = next(self._numbers)
        awaited = self._awaited[number] = set(self._gateways)
        self._tell({"kind": "withdraw", "number": number, "placed": _row(copy)})
        try:
            async with asyncio.timeout(self._patience()):
                while awaited:
                    answered = self._answered
                    await answered.wait()
        except TimeoutError:
            logger.warning("%r is still in use by %s", copy.target, ", ".join(sorted(awaited)))
        finally:
            del self._awaited[number]

    def vanished(self, instance_id: str) -> None:
        """Take down all copies of an instance that is gone."""
        self._tell({"kind": "vanished", "instance_id": instance_id})

    def welcome(self, gateway: str, copies: Iterable[Copy]) -> None:
        """Tell a gateway all that is loaded, and every change from now on."""
        self._gateways.add(gateway)
        self._send(gateway, {"kind": "placements", "placements": [_row(each) for each in copies]})

    def answered(self, gateway: str, number: int) -> None:
        """Know that a gateway has nothing under way with what was withdrawn under this number."""
        self._awaited.get(number, set()).discard(gateway)
        self._stir()

    def left(self, gateway: str) -> None:
        """Know that a gateway is gone."""
        self._gateways.discard(gateway)
        for awaited in self._awaited.values():
            awaited.discard(gateway)
        self._stir()

    def _tell(self, message: dict[str, Any]) -> None:
        for gateway in self._gateways:
            self._send(gateway, message)

    def _stir(self) -> None:
        self._answered.set()
        self._answered = asyncio.Event()


class TargetDesk:
    """Takes what gateways say about target models."""

    def __init__(
        self,
        placement: Placement,
        board: GatewayBoard,
        send: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._placement = placement
        self._board = board
        self._send = send
        self._open = False
        self._waiting: list[str] = []

    def open(self) -> None:
        """Begin to serve: from now on it is known what is loaded."""
        self._open = True
        for gateway in self._waiting:
            self._board.welcome(gateway, self._placement.copies())
        self._waiting.clear()

    def joined(self, gateway: str) -> None:
        """Know that a gateway has connected."""
        if self._open:
            self._board.welcome(gateway, self._placement.copies())
        else:
            self._waiting.append(gateway)

    def left(self, gateway: str) -> None:
        """Know that a gateway has gone."""
        if gateway in self._waiting:
            self._waiting.remove(gateway)
        self._board.left(gateway)
        self._placement.forget(gateway)

    def used(self, gateway: str, rows: Iterable[dict[str, Any]]) -> None:
        """Know how target models were used."""
        self._placement.used(gateway, [_use(link.TargetUsage(**row)) for row in rows])

    def heard(self, gateway: str, message: dict[str, Any]) -> bool:
        """Take a message; tell whether it was one about target models."""
        match message:
            case {"kind": "load", "number": int(number), "targets": list(rows)}:
                self.used(gateway, rows)
                wanted = Wanted(
                    endpoint_name=message["endpoint"],
                    variant_name=message["variant"],
                    target=message["target"],
                    generation=message["generation"],
                    further=message["further"],
                )
                self._placement.spawn(self._load(gateway, number, wanted))
            case {"kind": "withdrawn", "number": int(number)}:
                self._board.answered(gateway, number)
            case {
                "kind": "lost",
                "instance_id": str(where),
                "target": str(target),
                "name": str(name),
            }:
                self._placement.lost(where, target, name)
            case {
                "kind": "finished",
                "instance_id": str(where),
                "target": str(target),
                "name": str(name),
            }:
                self._placement.finished(where, target, name)
            case _:
                return False
        return True

    async def _load(self, gateway: str, number: int, wanted: Wanted) -> None:
        try:
            await self._placement.load(wanted)
        except (ParkadeError, OSError) as error:
            refusal = asdict(_refusal(error))
            self._send(gateway, {"kind": "refused", "number": number, "refusal": refusal})
        except Exception:
            # A bug here must not leave a request without an answer.
            logger.exception("target model %r", wanted.target)
            refusal = asdict(link.Refusal(kind="InternalFailure", status=500, message=_BUG))
            self._send(gateway, {"kind": "refused", "number": number, "refusal": refusal})
        else:
            self._send(gateway, {"kind": "loaded", "number": number})


_BUG = "The target model could not be loaded by a fault of Parkade; see logs/control.log."


def _refusal(error: ParkadeError | OSError) -> link.Refusal:
    if isinstance(error, OSError):
        text = f"The target model could not be unpacked: {error}; make room on the disk."
        return link.Refusal(kind="ServiceUnavailable", status=503, message=text)
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    if isinstance(error, InvalidInput | NotFound):
        return link.Refusal(kind="ValidationError", status=400, message=text)
    if isinstance(error, StartFailed):
        return link.Refusal(kind="ModelError", status=424, message=text)
    return link.Refusal(kind="ServiceUnavailable", status=503, message=text)


def _row(copy: Copy) -> dict[str, Any]:
    return asdict(
        link.Placed(
            endpoint=copy.place.endpoint_name,
            variant=copy.place.variant_name,
            instance_id=copy.place.instance_id,
            target=copy.target,
            name=copy.stored.name,
            once=not copy.place.caches,
        )
    )


def _use(usage: link.TargetUsage) -> TargetUse:
    values = asdict(usage)
    return TargetUse(
        endpoint_name=values.pop("endpoint"), variant_name=values.pop("variant"), **values
    )
