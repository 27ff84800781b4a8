"""Goes through two values of JSON together, down to what can be compared.

Without recursion: answers may be nested as deeply as whoever sent them liked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from parkade.domain.comparing import fields
from parkade.domain.comparing.tolerance import Tolerance, deviation, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.domain.comparing.fields import Field, Step


class Absent:
    """What one side has not."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


class Leaf(NamedTuple):
    """A place at which both sides were compared: one of them has a plain value, or nothing, there."""

    path: tuple[str | int, ...]
    before: Any
    after: Any
    agrees: bool
    #: Of two numbers, how far they lie apart, where a number says that.
    deviation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is left of the chosen and of the ignored fields at a place; `chosen` None: all of it."""

    chosen: Sequence[tuple[Step, ...]] | None
    ignored: Sequence[tuple[Step, ...]] = ()

    @classmethod
    def of(cls, chosen: Sequence[Field], ignored: Sequence[Field]) -> Scope:
        """Return that of the whole answer; nothing chosen: everything is."""
        tails = [each.steps for each in chosen]
        return cls(
            chosen=tails if tails and () not in tails else None,
            ignored=[each.steps for each in ignored],
        )

    def below(self, step: str | int) -> Scope | None:
        """Return that of a place further down; None: it is not compared."""
        if self.chosen is None and not self.ignored:
            return self
        ignored = fields.below(self.ignored, step)
        if () in ignored:
            return None
        chosen = self.chosen
        if chosen is not None:
            chosen = fields.below(chosen, step)
            if not chosen:
                return None
            chosen = None if () in chosen else chosen
        return Scope(chosen=chosen, ignored=ignored)


class _Place(NamedTuple):
    path: tuple[str | int, ...]
    before: Any
    after: Any
    scope: Scope


def leaves(before: Any, after: Any, scope: Scope, tolerance: Tolerance) -> Iterator[Leaf]:
    """Give what was compared, in the order of `before`, then what `after` alone has."""
    if () in scope.ignored:
        return
    stack: list[Iterator[_Place]] = [iter([_Place((), before, after, scope)])]
    while stack:
        place = next(stack[-1], None)
        if place is None:
            stack.pop()
            continue
        inner = _inner(place)
        if inner is not None:
            stack.append(inner)
        elif place.scope.chosen is None:
            yield _leaf(place, tolerance)


def holds(value: Any, field: Field) -> bool:
    """Tell whether a value has something at the field, or at one of its places.

    An empty list has all that can be said of every item.
    """
    stack: list[tuple[Any, tuple[Step, ...]]] = [(value, field.steps)]
    while stack:
        here, steps = stack.pop()
        if not steps or (steps[0] is fields.EVERY and here in ([], {})):
            return True
        stack += [(here[step], steps[1:]) for step in _steps(here) if fields.below([steps], step)]
    return False


def _inner(place: _Place) -> Iterator[_Place] | None:
    """Return the places below; None: it is a leaf.

    Where only something further down is chosen, a side that has nothing below simply lacks it.
    """
    before, after = place.before, place.after
    if place.scope.chosen is None:
        alike = (isinstance(before, dict) and isinstance(after, dict)) or (
            isinstance(before, list) and isinstance(after, list)
        )
        if not alike:
            return None
    return _below(place)


def _below(place: _Place) -> Iterator[_Place]:
    before, after = place.before, place.after
    own = _steps(before)
    mine = own if isinstance(own, range) else frozenset(own)
    for step in (*own, *(step for step in _steps(after) if step not in mine)):
        scope = place.scope.below(step)
        if scope is not None:
            yield _Place((*place.path, step), _at(before, step), _at(after, step), scope)


def _steps(value: Any) -> Sequence[str] | range:
    if isinstance(value, dict):
        return list(value)
    return range(len(value)) if isinstance(value, list) else ()


def _at(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
    return value[step] if isinstance(value, list) and step < len(value) else ABSENT


def _leaf(place: _Place, tolerance: Tolerance) -> Leaf:
    path, before, after, _ = place
    if is_number(before) and is_number(after):
        return Leaf(path, before, after, tolerance.agree(before, after), deviation(before, after))
    return Leaf(path, before, after, type(before) is type(after) and before == after)
