"""What is wrong with a file: where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.projectfile.tree import Mark

#: Keys and numbers that lead to a place of a file.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong."""

    place: Place
    message: str
    hint: str = ""

    @property
    def words(self) -> str:
        """Say it in one line, without the place."""
        return f"{self.message}: {self.hint}" if self.hint else self.message


def spelt(place: Place) -> str:
    """Write a place as people do: `endpoints.text.variants[0].model`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class BadDocument(InvalidInput):
    """A document cannot be used; `problems` tell why, each by its place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take at least one of them."""
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(f"{spelt(each.place) or 'the document'}: {each.words}" for each in problems),
            field=spelt(problems[0].place) or "project",
        )


def refusal(problems: Sequence[Problem]) -> BadDocument:
    """Return one error that tells all of them, of a document."""
    return BadDocument(problems)


class BadFile(InvalidInput):
    """A file cannot be used; `lines` tell why, one for each problem."""

    def __init__(self, told: Sequence[tuple[Mark, str]], name: str = "") -> None:
        """Take what is told of each problem, and where in the file it is."""
        places = (":".join(filter(None, (name, str(mark)))) for mark, _ in told)
        self.lines = tuple(
            f"{place}: {text}" if place else text
            for place, (_, text) in zip(places, told, strict=True)
        )
        super().__init__("; ".join(self.lines), field="file")
        self._told = told

    @classmethod
    def of(cls, mark: Mark, message: str, *, hint: str = "") -> Self:
        """Return one about something that stands at a mark."""
        return cls([(mark, f"{message}: {hint}" if hint else message)])

    def within(self, name: str) -> Self:
        """Return it with the name of the file in each line."""
        return type(self)(self._told, name)
