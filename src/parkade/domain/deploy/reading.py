"""Reads the members of a JSON object: each of its kind, none that is not known, each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class Section:
    """One JSON object; `place` is where it stands, empty at the top."""

    def __init__(
        self,
        given: object,
        place: str,
        known: Collection[str],
        *,
        spellings: Mapping[str, str] | None = None,
        noun: str = "deployment",
    ) -> None:
        """Take it. Raises InvalidInput for what is no object, and for a key that is not known.

        `spellings` are other names of known keys; `noun` is what messages call the whole.
        """
        self._place = place
        self._noun = noun
        if not isinstance(given, Mapping):
            raise InvalidInput(
                f"{place or f'the {noun}'} is not a JSON object",
                field=place or "body",
                hint="write {...} with keys of it: " + ", ".join(sorted(known)),
            )
        self._given: dict[str, object] = {}
        for key, value in given.items():
            name = (spellings or {}).get(key, key)
            if name not in known:
                names = sorted([*known, *(spellings or {})])
                raise InvalidInput(
                    f"{self.at(str(key)[:80])} is not a key of a {noun}",
                    field=self.at(str(key)[:80]),
                    hint=suggestion(str(key), names) or "known are " + ", ".join(names),
                )
            if name in self._given:
                raise InvalidInput(
                    f"{self.at(key)} is given twice, in two spellings", field=self.at(key)
                )
            self._given[name] = value

    def at(self, key: str) -> str:
        """Return where a key stands."""
        return f"{self._place}.{key}" if self._place else key

    def has(self, key: str) -> bool:
        """Tell whether a key is given, and not null."""
        return self._given.get(key) is not None

    def holds(self, key: str) -> bool:
        """Tell whether a key is given, null or not."""
        return key in self._given

    def value(self, key: str) -> object:
        """Return what is given, whatever it is."""
        return self._given.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it has to be there."""
        value = self._of(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, value, "a text")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._of(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number; without a default it has to be there."""
        value = self._of(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, value, "a whole number")
        return value

    def maybe_whole(self, key: str) -> int | None:
        """Return a whole number, or None where there is none."""
        return self.whole(key) if self.has(key) else None

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number; without a default it has to be there."""
        value = self._of(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, value, "a number")
        try:
            return float(value)
        except OverflowError as error:
            raise self._wrong(key, value, "a number of less than 309 digits") from error

    def seconds(self, key: str) -> timedelta:
        """Return a span that is given in seconds; none where it is left out."""
        return self._span(key, 1.0)

    def minutes(self, key: str) -> timedelta:
        """Return a span that is given in minutes; it has to be there."""
        self.number(key)
        return self._span(key, 60.0)

    def _span(self, key: str, unit: float) -> timedelta:
        value = self.number(key, 0.0)
        try:
            return timedelta(seconds=value * unit)
        except (OverflowError, ValueError) as error:
            raise self._wrong(key, value, "a span of time") from error

    def section(
        self, key: str, known: Collection[str], *, spellings: Mapping[str, str] | None = None
    ) -> Section:
        """Return an object within it."""
        return Section(
            self._of(key, None), self.at(key), known, spellings=spellings, noun=self._noun
        )

    def sections(
        self, key: str, known: Collection[str], *, spellings: Mapping[str, str] | None = None
    ) -> Iterator[Section]:
        """Return the objects of a list within it, each with its number in its place."""
        for number, each in enumerate(self._listed(key), 1):
            yield Section(
                each, f"{self.at(key)}.{number}", known, spellings=spellings, noun=self._noun
            )

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts of a list; none where it is left out."""
        listed = self._listed(key) if self.has(key) else []
        for each in listed:
            if not isinstance(each, str):
                raise self._wrong(key, each, "a text")
        return tuple(str(each) for each in listed)

    def texts_by_key(self, key: str) -> dict[str, str]:
        """Return an object of texts; an empty one where it is left out."""
        given = self._given.get(key)
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise self._wrong(key, given, "a JSON object of texts")
        for name, value in given.items():
            if not isinstance(value, str):
                raise self._wrong(f"{key}.{name}", value, "a text")
        return dict(given)

    def entries(self, key: str) -> Mapping[str, object]:
        """Return an object whose keys are names; an empty one where it is left out."""
        given = self._given.get(key)
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise self._wrong(key, given, "a JSON object")
        return given

    def _listed(self, key: str) -> list[object]:
        value = self._of(key, None)
        if not isinstance(value, list):
            raise self._wrong(key, value, "a list")
        return value

    def _of(self, key: str, default: object) -> object:
        value = self._given.get(key)
        value = default if value is None else value
        if value is None:
            raise InvalidInput(f"{self.at(key)} is missing", field=self.at(key), hint=f"give {key}")
        return value

    def _wrong(self, key: str, value: object, wanted: str) -> InvalidInput:
        return InvalidInput(
            f"{self.at(key)} {str(value)[:80]!r} is not {wanted}", field=self.at(key)
        )
