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
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING

from parkade.domain import series
from parkade.domain.points import Histograms, Points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The first byte of packed points; another form of them would have another one.
_FORM = b"\x01"
#: What a column is: the same number again and again, the same as the column of that place, or
#: numbers in one of struct's forms; whole ones may be of such parts of one.
_CONSTANT, _AS_BEFORE = b"=", b"<"
#: No column is longer; damaged bytes must not ask for all the memory there is.
_LONGEST = 1 << 24
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


def pack(points: Points, start: int, seconds: int) -> bytes:
    """Write points of periods of `seconds`, none of them before `start`."""
    steps = [(at - start) // seconds for at in points.at]
    steps = [*steps[:1], *(later - earlier for earlier, later in pairwise(steps))]
    histograms = [*points.histograms.in_order()]
    columns = (
        steps,
        points.counts,
        points.totals,
        points.least,
        points.most,
        [len(numbers) for numbers, _ in histograms],
        [*chain.from_iterable(numbers for numbers, _ in histograms)],
        [*chain.from_iterable(amounts for _, amounts in histograms)],
    )
    return _FORM + zlib.compress(_join(columns), 6)


def unpack(
    content: object, start: int, seconds: int, within: tuple[int, int] | None = None
) -> Points:
    """Read what `pack` wrote, or of that the points with `within[0] <= at < within[1]`.

    Raises ValueError where it is damaged.
    """
    if not isinstance(content, bytes) or content[:1] != _FORM:
        raise ValueError("it is no packed points")
    try:
        columns = _split(zlib.decompress(content[1:]), 8)
    except zlib.error as error:
        raise ValueError(f"its bytes are torn ({error})") from error
    steps, counts, totals, least, most, sizes, numbers, amounts = columns
    lengths = {len(each) for each in (steps, counts, totals, least, most, sizes)}
    ends = [0, *accumulate(_whole(sizes))]
    if len(lengths) != 1 or len(numbers) != len(amounts) or ends[-1] != len(numbers):
        raise ValueError("its columns do not go together")
    at = [start + seconds * step for step in accumulate(_whole(steps))]
    first, last = (0, len(at)) if within is None else (bisect_left(at, each) for each in within)
    skipped, taken = ends[first], ends[last]
    return Points(
        at[first:last],
        list(counts[first:last]),
        list(totals[first:last]),
        list(least[first:last]),
        list(most[first:last]),
        Histograms(
            [end - skipped for end in ends[first + 1 : last + 1]],
            _whole(numbers[skipped:taken]),
            list(amounts[skipped:taken]),
        ),
    )


def _whole(numbers: Sequence[float]) -> list[int]:
    """Return whole numbers as such: a column of one number again and again is read as floats."""
    if not numbers or isinstance(numbers[0], int):
        return list(numbers)  # type: ignore[arg-type]  # a column is of one kind
    try:
        return [*map(int, numbers)]
    except OverflowError as error:
        raise ValueError("its columns have infinite numbers where whole ones belong") from error


def pack_buckets(buckets: Mapping[int, float]) -> bytes | None:
    """Write a histogram; None where there is none."""
    if not buckets:
        return None
    numbers = sorted(buckets)
    return _join((numbers, [buckets[number] for number in numbers]))


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
