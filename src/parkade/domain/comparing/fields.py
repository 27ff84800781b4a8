"""Fields: where in an answer something is, `$.label` or `results[*].score`.

A name stands after a dot, or in brackets and quotes where it has other characters; an index stands in
brackets, and counts from 0. `*` is every name or index. The `$` at the beginning may be left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: A name of an object, an index of a list, or every one of them.
Step: TypeAlias = "str | int | Every"


@dataclass(frozen=True, slots=True)
class Every:
    """Every name, and every index."""


EVERY: Final = Every()

_PLAIN = re.compile(r"[^\W\d][\w-]*")
_STEP = re.compile(
    r"""
      \.(?P<dotted>[\w-]+|\*)
    | \[(?P<index>\d{1,9}|\*)\]
    | \[(?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*')\]
    """,
    re.VERBOSE,
)
_HINT = "write it like $.label, results[*].score or $['odd name'][0]"


@dataclass(frozen=True, slots=True)
class Field:
    """A place in answers, or with `*` many; no steps: the whole answer."""

    steps: tuple[Step, ...]

    @classmethod
    def read(cls, text: object, *, field: str = "fields") -> Field:
        """Read a field as people write it. Raises InvalidInput, which calls the text `field`."""
        if not isinstance(text, str) or not text.strip():
            raise _unusable(text, field)
        rest = text.strip().removeprefix("$")
        if rest and rest[0] not in ".[":
            rest = f".{rest}"
        steps: list[Step] = []
        while rest:
            match = _STEP.match(rest)
            if match is None:
                raise _unusable(text, field)
            steps.append(_step(match, text, field))
            rest = rest[match.end() :]
        return cls(tuple(steps))

    def __str__(self) -> str:
        """Write it as it is read: `$.results[*].score`."""
        return written(self.steps)


def read_all(texts: object, *, field: str) -> tuple[Field, ...]:
    """Read a list of fields. Raises InvalidInput."""
    if not isinstance(texts, list | tuple):
        raise InvalidInput(f"{field} is not a list of fields", field=field, hint=_HINT)
    return tuple(Field.read(each, field=field) for each in texts)


def written(steps: Iterable[Step]) -> str:
    """Write the steps of a place: `$.results[3].score`."""
    return "$" + "".join(map(_shown, steps))


def general(steps: Iterable[Step]) -> str:
    """Write a place with every index in the stead of its own, so that equal fields are one."""
    return _general(tuple([EVERY if isinstance(step, int) else step for step in steps]))


@lru_cache(maxsize=4096)
def _general(steps: tuple[Step, ...]) -> str:
    # A list of a thousand numbers has a thousand places, and one field.
    return written(steps)


def below(tails: Sequence[tuple[Step, ...]], step: str | int) -> list[tuple[Step, ...]]:
    """Return what is left of those that begin with this step."""
    return [tail[1:] for tail in tails if tail and (tail[0] == step or isinstance(tail[0], Every))]


def _step(match: re.Match[str], text: str, field: str) -> Step:
    if (index := match["index"]) is not None:
        return EVERY if index == "*" else int(index)
    if (dotted := match["dotted"]) is not None:
        return EVERY if dotted == "*" else dotted
    quoted = match["quoted"]
    if quoted.startswith("'"):
        return quoted[1:-1]
    try:
        return str(json.loads(quoted))
    except ValueError as error:
        raise _unusable(text, field) from error


def _shown(step: Step) -> str:
    if isinstance(step, Every):
        return "[*]"
    if isinstance(step, int):
        return f"[{step}]"
    # Names are somebody else's, too: what cannot be printed is written out.
    plain = not step.isprintable()
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{json.dumps(step, ensure_ascii=plain)}]"


def _unusable(text: object, field: str) -> InvalidInput:
    return InvalidInput(f"{field} {str(text)[:80]!r} names no field", field=field, hint=_HINT)
