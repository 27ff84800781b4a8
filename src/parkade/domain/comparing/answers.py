"""Compares two answers, and tells where they differ."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from parkade.domain.comparing import fields, walking
from parkade.domain.comparing.reading import Body, Form, form_of, value_of
from parkade.domain.comparing.tolerance import EQUAL, Tolerance
from parkade.domain.comparing.walking import ABSENT, Leaf, Scope
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parkade.domain.comparing.fields import Field

#: Differences that are kept of one answer; all are counted.
KEPT = 20
#: Characters of a value that are shown.
SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When two answers are the same."""

    #: How both are read; None: as their content types say.
    form: Form | None = None
    #: Only these are compared; none: everything is.
    fields: tuple[Field, ...] = ()
    ignored: tuple[Field, ...] = ()
    tolerance: Tolerance = EQUAL

    def __post_init__(self) -> None:
        if self.form is Form.EXACT and (self.fields or self.ignored or self.tolerance):
            raise InvalidInput(
                "bytes have no fields, and no numbers",
                field="compare",
                hint="leave out exact, or the fields and the tolerance",
            )


#: Equal values alone agree.
STRICT: Final = Rules()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two answers differ, each side as it is shown; None: it is not there."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Write it for people: `$.label: 1 -> 2`."""
        return f"{self.path}: {self.before or '(absent)'} -> {self.after or '(absent)'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of comparing two answers."""

    #: The first of them, in the order of the answer.
    differences: tuple[Difference, ...] = ()
    #: How many places differ, by their fields: `$.results[*].score`.
    counts: Mapping[str, int] = field(default_factory=dict)
    #: How far numbers lie apart, those that agree among them, by their fields.
    deviations: Mapping[str, Sequence[float]] = field(default_factory=dict)
    #: Chosen fields that neither answer has. Nothing was compared there.
    missing: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing differs; answers without any chosen field have nothing to agree on."""
        return not self.differences and not self.missing

    @property
    def count(self) -> int:
        """How many places differ."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        """Write the first differences for people, on one line."""
        told = [*map(str, self.differences), *(f"{each}: in neither" for each in self.missing)]
        more = self.count - len(self.differences)
        return "; ".join([*told, f"and {more} more"] if more else told)


def compare(before: Body, after: Body, rules: Rules = STRICT) -> Comparison:
    """Compare two answers. It is symmetric: `after` and `before` may be exchanged."""
    form = rules.form or _common_form(before, after)
    if form is Form.EXACT:
        return _exactly(before.data, after.data)
    one, other = value_of(before.data, form), value_of(after.data, form)
    return _compared(one, other, rules)


def compare_value(expected: Any, answer: Body, rules: Rules = STRICT) -> Comparison:
    """Compare an answer with a value that somebody wrote down.

    A text is what the answer's own form makes of it, so that an expected CSV may be written as one.
    """
    written = isinstance(expected, str)
    form = rules.form or form_of(answer) or (Form.TEXT if written else Form.JSON)
    value = value_of(answer.data, form)
    if written and form in {Form.CSV, Form.TEXT, Form.JSONLINES}:
        expected = value_of(expected.encode(), form)
    if form is Form.EXACT:
        text = expected if written else json.dumps(expected)
        return _exactly(text.encode(), answer.data)
    return _compared(expected, value, rules)


def shown(value: Any) -> str | None:
    """Return a value as people are shown it, cut where it is long; None for what is not there."""
    if value is ABSENT:
        return None
    if isinstance(value, bytes):
        return f"<{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()[:12]}>"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return f"<a deeply nested {'object' if isinstance(value, dict) else 'list'}>"
    return printable(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…")


def printable(text: str) -> str:
    """Return a text of somebody else's with what would steer a terminal written out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _common_form(before: Body, after: Body) -> Form:
    """Return how both are read: as one of them says where the other says nothing.

    Two that say different things are compared by what they are: JSON where both are.
    """
    one, other = form_of(before), form_of(after)
    if one is not None and other is not None:
        return one if one is other else Form.JSON
    if before.content_type and after.content_type:
        return Form.EXACT
    # Where nothing is said at all, most answers are JSON; what is none is compared as it is.
    return one or other or (Form.EXACT if before.content_type or after.content_type else Form.JSON)


def _exactly(before: bytes, after: bytes) -> Comparison:
    if before == after:
        return Comparison()
    place = next(
        (at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other),
        min(len(before), len(after)),
    )
    difference = Difference(f"byte {place}", _around(before, place), _around(after, place))
    return Comparison(differences=(difference,), counts={"$": 1})


def _around(data: bytes, place: int) -> str:
    piece = data[max(0, place - 20) : place + 60]
    return f"{piece!r}"[1:] + f" ({len(data)} bytes)"


def _compared(before: Any, after: Any, rules: Rules) -> Comparison:
    scope = Scope.of(rules.fields, rules.ignored)
    tally = _Tally()
    tally.take(walking.leaves(before, after, scope, rules.tolerance))
    missing = [
        str(each)
        for each in rules.fields
        if not (walking.holds(before, each) or walking.holds(after, each))
    ]
    return Comparison(
        differences=tuple(tally.differences),
        counts=tally.counts,
        deviations=tally.deviations,
        missing=tuple(missing),
    )


class _Tally:
    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.counts: Counter[str] = Counter()
        self.deviations: dict[str, list[float]] = {}

    def take(self, leaves: Iterable[Leaf]) -> None:
        for leaf in leaves:
            if leaf.agrees and leaf.deviation is None:
                continue
            name = fields.general(leaf.path)
            if leaf.deviation is not None:
                self.deviations.setdefault(name, []).append(leaf.deviation)
            if not leaf.agrees:
                self.counts[name] += 1
                if len(self.differences) < KEPT:
                    self.differences.append(_difference(leaf))


def _difference(leaf: Leaf) -> Difference:
    return Difference(fields.written(leaf.path), shown(leaf.before), shown(leaf.after))
