"""Points as bytes: column by column, each in the narrowest form that loses nothing, compressed.

Most series are dull: a column that never changes, or that equals one before it, is a few bytes
however long it is. The bytes of numbers are put in order of their weight (all first bytes, then
all second ones), since the high ones hardly change; then zlib finds what repeats. zlib's checksum
tells of bytes that were damaged.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate, chain, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from parkade.domain import series
from parkade.domain.series import Aggregate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: The first byte of packed points; another form of them would have another one.
_FORM = b"\x01"
#: What a column is: the same number again and again, the same as the column of that place, or
#: numbers in one of struct's forms; whole ones may be of such parts of one.
_CONSTANT, _AS_BEFORE = b"=", b"<"
#: No column is longer; damaged bytes must not ask for all the memory there is.
_LONGEST = 1 << 24
_NONE: Mapping[int, float] = MappingProxyType({})
_HEAD = struct.Struct("<cI")
_PARTS = 1, series.PARTS
_NUMBER = struct.Struct("<d")
_PLACE = struct.Struct("<B")
#: Forms for whole numbers, narrow ones first, with the least and the most that they take.
_WHOLE = tuple(
    (form, -(1 << bits) if form.islower() else 0, (1 << bits) - 1)
    for form, bits in (
        ("B", 8), ("b", 7), ("H", 16), ("h", 15), ("I", 32), ("i", 31), ("q", 53),
    )
)  # fmt: skip
_LEAST, _MOST = -(1 << 53), (1 << 53) - 1
_FORMS = {form.encode(): form for form, _, _ in _WHOLE} | {b"d": "d"}


@dataclass(slots=True)
class Block:
    """Points of one series as columns, in the order of time; `at` in seconds since the epoch."""

    at: list[int] = field(default_factory=list)
    count: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    buckets: list[Mapping[int, float]] = field(default_factory=list)

    def put(self, at: int, value: Aggregate) -> None:
        """Append a point, later than all there are."""
        self.at.append(at)
        self.count.append(value.count)
        self.total.append(value.total)
        self.least.append(value.least)
        self.most.append(value.most)
        self.buckets.append(value.buckets)

    def rows(self) -> Iterator[tuple[int, float, float, float, float, Mapping[int, float]]]:
        """Give the points one by one: at, count, total, least, most, buckets."""
        return zip(*self._columns(), strict=True)

    def values(self) -> Iterator[tuple[int, Aggregate]]:
        """Give the points one by one."""
        for at, count, total, least, most, buckets in self.rows():
            yield at, Aggregate(count=count, total=total, least=least, most=most, buckets=buckets)

    def _columns(self) -> tuple[list, ...]:  # type: ignore[type-arg]  # columns of several kinds
        return (self.at, self.count, self.total, self.least, self.most, self.buckets)


def united(blocks: Iterable[Block], seconds: int) -> Block:
    """Return the points of all blocks, merged into periods of `seconds`."""
    merged: dict[int, Aggregate] = {}
    for block in blocks:
        for at, value in block.values():
            begin = at - at % seconds
            before = merged.get(begin)
            merged[begin] = value if before is None else before.plus(value)
    whole = Block()
    for at in sorted(merged):
        whole.put(at, merged[at])
    return whole


def pack(block: Block, start: int, seconds: int) -> bytes:
    """Write points of periods of `seconds`, none of them before `start`."""
    steps = [(at - start) // seconds for at in block.at]
    steps = [*steps[:1], *(later - earlier for earlier, later in pairwise(steps))]
    sizes = [len(each) for each in block.buckets]
    spread = [sorted(each.items()) for each in block.buckets if each]
    columns = (
        steps,
        block.count,
        block.total,
        block.least,
        block.most,
        sizes,
        *_spread(chain.from_iterable(spread)),
    )
    return _FORM + zlib.compress(_join(columns), 6)


def unpack(
    content: object, start: int, seconds: int, within: tuple[int, int] | None = None
) -> Block:
    """Read what `pack` wrote, or of that the points with `within[0] <= at < within[1]`.

    Raises ValueError where it is damaged.
    """
    if not isinstance(content, bytes) or content[:1] != _FORM:
        raise ValueError("it is no packed points")
    try:
        columns = _split(zlib.decompress(content[1:]), 8)
    except zlib.error as error:
        raise ValueError(f"its bytes are torn ({error})") from error
    steps, count, total, least, most, sizes, numbers, amounts = columns
    lengths = {len(each) for each in (steps, count, total, least, most, sizes)}
    if len(lengths) != 1 or len(numbers) != len(amounts) or sum(sizes) != len(numbers):
        raise ValueError("its columns do not go together")
    at = [start + seconds * int(step) for step in accumulate(steps)]
    first, last = (0, len(at)) if within is None else (bisect_left(at, each) for each in within)
    skipped, taken = int(sum(sizes[:first])), int(sum(sizes[:last]))
    return Block(
        at[first:last],
        list(count[first:last]),
        list(total[first:last]),
        list(least[first:last]),
        list(most[first:last]),
        _histograms(
            [*map(int, sizes[first:last])],
            [*map(int, numbers[skipped:taken])],
            amounts[skipped:taken],
        ),
    )


def _histograms(
    sizes: Sequence[int], numbers: Sequence[int], amounts: Sequence[float]
) -> list[Mapping[int, float]]:
    if not numbers:
        return [_NONE] * len(sizes)
    ends = accumulate(sizes)
    return [
        dict(zip(numbers[end - size : end], amounts[end - size : end], strict=True))
        for size, end in zip(sizes, ends, strict=True)
    ]


def pack_buckets(buckets: Mapping[int, float]) -> bytes | None:
    """Write a histogram; None where there is none."""
    return _join(_spread(sorted(buckets.items()))) if buckets else None


def unpack_buckets(content: object) -> dict[int, float]:
    """Read what `pack_buckets` wrote. Raises ValueError where that is damaged."""
    if content is None:
        return {}
    if not isinstance(content, bytes):
        raise ValueError("its histogram is no bytes")  # noqa: TRY004  what is stored, not a bug
    numbers, amounts = _split(content, 2)
    if len(numbers) != len(amounts):
        raise ValueError("its histogram's columns do not go together")
    return dict(zip(map(int, numbers), amounts, strict=True))


def _spread(pairs: Iterable[tuple[int, float]]) -> tuple[list[int], list[float]]:
    numbers, amounts = [], []
    for number, amount in pairs:
        numbers.append(number)
        amounts.append(amount)
    return numbers, amounts


def _join(columns: Sequence[Sequence[float]]) -> bytes:
    return b"".join(_column(column, columns[:place]) for place, column in enumerate(columns))


def _column(values: Sequence[float], before: Sequence[Sequence[float]]) -> bytes:
    length = len(values)
    least, most = min(values, default=0.0), max(values, default=0.0)
    if least == most:
        return _HEAD.pack(_CONSTANT, length) + _NUMBER.pack(least)
    if values in before:
        return _HEAD.pack(_AS_BEFORE, length) + _PLACE.pack(before.index(values))
    form, parts, numbers = _form(values)
    raw = struct.pack(f"<{length}{form}", *numbers)
    width = struct.calcsize(f"<{form}")
    planes = b"".join(raw[i::width] for i in range(width))
    return _HEAD.pack(form.encode(), length) + _PLACE.pack(parts) + planes


def _form(values: Sequence[float]) -> tuple[str, int, Sequence[float]]:
    """Return the narrowest form, of which parts of one they are whole numbers then, and those."""
    for parts in _PARTS:
        scaled = values if parts == 1 else [value * parts for value in values]
        least, most = min(scaled), max(scaled)
        # Beyond these, whole numbers are no narrower than floats.
        if least >= _LEAST and most <= _MOST and (whole := [*map(int, scaled)]) == scaled:
            form = next(form for form, low, high in _WHOLE if low <= least and most <= high)
            return form, parts, whole
    return "d", 1, values


def _split(content: bytes, number: int) -> list[Sequence[float]]:
    """Read columns. Raises ValueError where they are not that many, or torn."""
    columns: list[Sequence[float]] = []
    place = 0
    try:
        for _ in range(number):
            kind, length = _HEAD.unpack_from(content, place)
            place += _HEAD.size
            if length > _LONGEST:
                raise ValueError(f"a column of {length} numbers")  # noqa: TRY301  as struct's
            if kind == _CONSTANT:
                columns.append([_NUMBER.unpack_from(content, place)[0]] * length)
                place += _NUMBER.size
            elif kind == _AS_BEFORE:
                columns.append(columns[_PLACE.unpack_from(content, place)[0]])
                place += _PLACE.size
            else:
                form = _FORMS[kind]
                width = struct.calcsize(f"<{form}")
                parts = _PLACE.unpack_from(content, place)[0]
                place += _PLACE.size
                raw = bytearray(length * width)
                for i in range(width):
                    raw[i::width] = content[place : place + length]
                    place += length
                numbers = struct.unpack(f"<{length}{form}", raw)
                columns.append(numbers if parts == 1 else [each / parts for each in numbers])
    except (struct.error, KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"its columns are torn ({error})") from error
    if place != len(content):
        raise ValueError("it is longer than its columns")
    return columns
