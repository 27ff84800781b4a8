"""What is wrong with a file: where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from parkade.domain.errors import InvalidInput

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


def refusal(problems: list[Problem]) -> InvalidInput:
    """Return one error that tells all of them, of a document."""
    first = problems[0]
    return InvalidInput(
        "; ".join(f"{spelt(each.place)}: {each.words}" for each in problems),
        field=spelt(first.place) or "project",
    )
