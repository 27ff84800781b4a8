"""Target models: which instance has which loaded, and asking control for what none has.

Control loads, moves and unloads; the map here is what it has told. A request for a model that is
in no instance waits while control is asked, once for all who want it, and again by every new link
to control: so a cold model waits until control is back, and a loaded one never asks.

A copy that is taken out of the map gets no new request, and control hears when nothing is under
way with it any more: only then it is unloaded. Where a container still says that it has not
loaded a model (it was restarted just now), the request looks for another place.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from parkade.apps import link
from parkade.apps.gateway import answers
from parkade.apps.gateway.instances import CONNECTIONS
from parkade.apps.gateway.upstream import NOT_LOADED
from parkade.domain.errors import InvalidInput
from parkade.domain.targets import target_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.gateway.instances import Instance
    from parkade.apps.gateway.invocation import Invocation

#: (endpoint, variant, generation of its instances or 0 for any, target model).
Wanted = tuple[str, str, int, str]

#: Seconds after which a busy model that could not be loaded in one more instance is asked for there
#: again.
SPREAD_AGAIN = 5.0
_SUMS = ("invocations", "hits", "model_errors", "model_us", "waiting_us")


class Copy:
    """A target model in an instance, and how it is used."""

    __slots__ = (
        *_SUMS,
        "endpoint",
        "in_flight",
        "instance_id",
        "leaving",
        "name",
        "once",
        "path",
        "target",
        "told",
        "used_at",
        "variant",
    )

    def __init__(self, placed: link.Placed) -> None:
        self.endpoint = placed.endpoint
        self.variant = placed.variant
        self.instance_id = placed.instance_id
        self.target = placed.target
        self.name = placed.name
        #: Whether it is to go as soon as its calls are answered.
        self.once = placed.once
        #: Where it is asked.
        self.path = b"/models/%b/invoke" % placed.name.encode()
        self.in_flight = 0
        #: The number under which control wants to hear that it is free to go.
        self.leaving: int | None = None
        self.invocations = self.hits = self.model_errors = self.model_us = self.waiting_us = 0
        self.used_at = 0.0
        #: What control was last told to be in flight.
        self.told = 0

    @property
    def news(self) -> bool:
        """Tell whether control does not know all of it."""
        return self.in_flight != self.told or bool(self.invocations)

    def count(self, model: float, waited: float | None) -> None:
        """Count an invocation: seconds in the model, and in waiting for it unless it was there."""
        self.invocations += 1
        self.model_us += int(model * 1e6)
        if waited is None:
            self.hits += 1
        else:
            self.waiting_us += int(waited * 1e6)

    def take(self) -> link.TargetUsage:
        """Return the deltas and begin again from zero."""
        sums = {name: getattr(self, name) for name in _SUMS}
        for name in _SUMS:
            setattr(self, name, 0)
        self.told = self.in_flight
        return link.TargetUsage(
            endpoint=self.endpoint,
            variant=self.variant,
            instance_id=self.instance_id,
            target=self.target,
            in_flight=self.in_flight,
            age=monotonic() - self.used_at if self.used_at else 0.0,
            **sums,
        )


#: Where a request goes; or that no instance has its model; or that all that do are full.
Choice: TypeAlias = "tuple[Instance, Copy] | Literal[False] | None"
COLD: None = None
FULL: Literal[False] = False


class Targets:
    """The map of all endpoints, and what is asked for."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        #: Requests under way with a copy from which on its model is to spread.
        self.spread_at = link.Limits().spread_at
        #: Called when an asked-for model is loaded, or with the answer why it is not.
        self.settled: Callable[[Wanted, answers.Answer | None], None] = lambda *_: None
        self._send = send
        #: By instance and target model.
        self._copies: dict[str, dict[str, Copy]] = {}
        #: What was taken out of the map and still has requests under way, or something to tell.
        self._leaving: set[Copy] = set()
        self._asked: dict[int, tuple[Wanted, bool]] = {}
        self._numbers: dict[tuple[Wanted, bool], int] = {}
        self._number = 0
        #: Until when a model that could not spread stays where it is.
        self._settled_for: dict[Wanted, float] = {}

    # What dispatch asks.

    def pick(self, wanted: Wanted, open_ones: list[Instance], invocation: Invocation) -> Choice:
        """Return the instance and its copy for the request; see `Choice`.

        It is the one with the fewest requests in flight among those that have the model. A model
        that is busy in all of them is asked for in one more.
        """
        target, shunned = wanted[3], invocation.shunned
        best: tuple[Instance, Copy] | None = None
        held = 0
        for instance in open_ones:
            copies = self._copies.get(instance.id)
            copy = copies.get(target) if copies is not None else None
            if copy is None:
                continue
            held += 1
            if (
                best is None
                or best[0] is shunned
                or (instance.in_flight < best[0].in_flight and instance is not shunned)
            ):
                best = instance, copy
        if best is None:
            return COLD
        if best[1].in_flight >= self.spread_at and held < len(open_ones):
            self._spread(wanted)
        return best if best[0].in_flight < CONNECTIONS else FULL

    def ask(self, wanted: Wanted, *, further: bool = False) -> None:
        """Ask control to load the model, in one `further` instance, unless that is asked already."""
        key = (wanted, further)
        if key in self._numbers:
            return
        self._number += 1
        self._numbers[key] = self._number
        self._asked[self._number] = key
        self._ask(self._number)

    def _spread(self, wanted: Wanted) -> None:
        until = self._settled_for.get(wanted)
        if until is None or monotonic() >= until:
            self._settled_for.pop(wanted, None)
            self.ask(wanted, further=True)

    def begin(self, copy: Copy, invocation: Invocation) -> None:
        """Send the request to the copy."""
        copy.in_flight += 1
        invocation.copy = copy
        invocation.aim(copy.path)

    def done(self, copy: Copy) -> None:
        """Know that one request less is under way with the copy."""
        copy.in_flight -= 1
        copy.used_at = monotonic()
        if not copy.in_flight:
            self._rest(copy)

    def lost(self, copy: Copy) -> None:
        """Know that the container has not loaded the copy, whatever the map says."""
        copies = self._copies.get(copy.instance_id, {})
        if copies.get(copy.target) is copy:
            del copies[copy.target]
            self._send({
                "kind": "lost",
                "instance_id": copy.instance_id,
                "target": copy.target,
                "name": copy.name,
            })  # fmt: skip

    # What the link brings and takes.

    def joined(self) -> None:
        """Ask again for all that was asked for: control knows nothing of it."""
        for copy in self._all():
            copy.told = -1
        for copy in self._leaving:
            copy.leaving = None
        for number in tuple(self._asked):
            self._ask(number)

    def heard(self, message: dict[str, Any]) -> bool:
        """Take a message of control; tell whether it was one about target models."""
        match message:
            case {"kind": "placements", "placements": list(rows)}:
                self._replace([link.Placed(**row) for row in rows])
            case {"kind": "placed", "placed": dict(row)}:
                self._place(link.Placed(**row))
            case {"kind": "withdraw", "number": int(number), "placed": dict(row)}:
                self._withdraw(number, link.Placed(**row))
            case {"kind": "vanished", "instance_id": str(instance_id)}:
                self._leaving |= set(self._copies.pop(instance_id, {}).values())
            case {"kind": "loaded", "number": int(number)}:
                self._settle(number, None)
            case {"kind": "refused", "number": int(number), "refusal": dict(row)}:
                self._settle(number, link.Refusal(**row))
            case _:
                return False
        return True

    def take(self) -> list[dict[str, Any]]:
        """Return what was used since it was last asked, as JSON values."""
        found = [asdict(copy.take()) for copy in (*self._all(), *self._leaving) if copy.news]
        self._leaving = {copy for copy in self._leaving if copy.in_flight}
        return found

    def give_back(self, rows: list[dict[str, Any]]) -> None:
        """Add deltas that were taken and did not arrive; those of copies that are gone are lost."""
        for row in rows:
            copy = self._copies.get(row["instance_id"], {}).get(row["target"])
            if copy is not None:
                for name in _SUMS:
                    setattr(copy, name, getattr(copy, name) + row[name])

    def _ask(self, number: int) -> None:
        (endpoint, variant, generation, target), further = self._asked[number]
        self._send({
            "kind": "load",
            "number": number,
            "endpoint": endpoint,
            "variant": variant,
            "generation": generation,
            "target": target,
            "further": further,
            # What gives way is what was unused for longest: control must know up to now.
            "targets": self.take(),
        })  # fmt: skip

    def _replace(self, rows: list[link.Placed]) -> None:
        former = self._copies
        self._copies = {}
        for row in rows:
            copy = former.get(row.instance_id, {}).get(row.target)
            copies = self._copies.setdefault(row.instance_id, {})
            copies[row.target] = copy if copy is not None and copy.name == row.name else Copy(row)
        for copies in former.values():
            self._leaving |= {copy for copy in copies.values() if copy.in_flight}
        self._leaving -= set(self._all())

    def _place(self, row: link.Placed) -> None:
        copies = self._copies.setdefault(row.instance_id, {})
        former = copies.get(row.target)
        if former is None or former.name != row.name:
            if former is not None:
                self._leaving.add(former)
            copies[row.target] = Copy(row)

    def _withdraw(self, number: int, row: link.Placed) -> None:
        copies = self._copies.get(row.instance_id, {})
        found = {copy for copy in self._leaving if _is(copy, row)}
        copy = copies.get(row.target)
        if copy is not None and copy.name == row.name:
            del copies[row.target]
            self._leaving.add(copy)
            found.add(copy)
        busy = [each for each in found if each.in_flight]
        for each in busy:
            each.leaving = number
        if not busy:
            self._send({"kind": "withdrawn", "number": number})

    def _rest(self, copy: Copy) -> None:
        """Nothing is under way with the copy now."""
        if copy.leaving is not None:
            number, copy.leaving = copy.leaving, None
            if all(each.leaving != number for each in self._leaving):
                self._send({"kind": "withdrawn", "number": number})
        elif copy.once and self._copies.get(copy.instance_id, {}).get(copy.target) is copy:
            self._send({
                "kind": "finished",
                "instance_id": copy.instance_id,
                "target": copy.target,
                "name": copy.name,
            })  # fmt: skip

    def _settle(self, number: int, refusal: link.Refusal | None) -> None:
        key = self._asked.pop(number, None)
        if key is None:
            return  # asked by a link that is gone, and again by this one
        del self._numbers[key]
        wanted, further = key
        if further:
            if refusal is not None:
                self._settled_for[wanted] = monotonic() + SPREAD_AGAIN
        else:
            self.settled(wanted, None if refusal is None else _answer(refusal, wanted[0]))

    def _all(self) -> list[Copy]:
        return [copy for copies in self._copies.values() for copy in copies.values()]


def _is(copy: Copy, row: link.Placed) -> bool:
    return (copy.instance_id, copy.target, copy.name) == (row.instance_id, row.target, row.name)


def _answer(refusal: link.Refusal, endpoint: str) -> answers.Answer:
    if refusal.kind == "ModelError":
        return answers.model_error(endpoint, 500, refusal.message)
    return answers.error(refusal.status, refusal.kind, refusal.message)


def checked(text: str) -> str | answers.Answer:
    """Return the target model of a header's value, or the answer why it is none."""
    if not text:
        return answers.TARGET_MISSING
    try:
        return target_model(text)
    except InvalidInput as error:
        return answers.error(400, "ValidationError", f"{error.message}; {error.hint}")


def not_loaded(lines: list[bytes], chunks: list[bytes]) -> bool:
    """Tell whether a container says by a 404 that it has not loaded the model.

    A model's own 404 is something else. Ours tells by a header, multi-model-server by its words.
    """
    if NOT_LOADED in lines:
        return True
    try:
        values = json.loads(b"".join(chunks))
    except ValueError:
        return False
    return isinstance(values, dict) and values.get("type") == "ModelNotFoundException"
