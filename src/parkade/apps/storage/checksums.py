"""The sums that S3's clients send with an object, compared with those of what arrived.

CRC-64/NVME and CRC-32C are in no standard library. Byte by byte they would be far too slow in
Python; here a piece is one large number, folded in half again and again: shifts and XORs of
large numbers are done by the machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from parkade.apps.storage.faults import Fault, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PREFIX = "x-amz-checksum-"
#: What begins alike and is no sum.
_WORDS = frozenset({f"{_PREFIX}{word}" for word in ("algorithm", "mode", "type")})
_MD5 = "content-md5"


class Sum(Protocol):
    """A sum of what it is given piece by piece."""

    def update(self, data: bytes, /) -> object:
        """Take the next piece."""
        ...

    def digest(self) -> bytes:
        """Return the sum of all pieces."""
        ...


class Crc32:
    """CRC-32, which the standard library has."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """Take the next piece."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """Return the sum of all pieces."""
        return self._value.to_bytes(4, "big")


class FoldedCrc:
    """A reflected CRC of `width` bits that begins with, and is inverted by, all ones."""

    def __init__(self, width: int, polynomial: int) -> None:
        self._width = width
        self._polynomial = polynomial
        self._ones = self._register = (1 << width) - 1

    def update(self, data: bytes, /) -> None:
        """Take the next piece."""
        # Bit j of the number is the coefficient of the message's j-th power from the top.
        number = int.from_bytes(data, "little") ^ (
            self._register & ((1 << min(8 * len(data), self._width)) - 1)
        )
        bits = 8 * len(data)
        rest = self._register >> bits
        while bits > 1024:
            # The upper powers, `number` up to `cut`, times x^keep, modulo the polynomial.
            keep = (1 << ((bits - self._width - 1).bit_length() - 1)) + self._width
            cut = bits - keep
            upper = number & ((1 << cut) - 1)
            number >>= cut
            for power in _remainder(self._width, self._polynomial, keep):
                number ^= upper << (keep - cut - power)
            bits = keep
        table = _table(self._width, self._polynomial)
        register = 0
        for byte in number.to_bytes(bits // 8, "little"):
            register = (register >> 8) ^ table[(register ^ byte) & 0xFF]
        self._register = register ^ rest

    def digest(self) -> bytes:
        """Return the sum of all pieces."""
        return (self._register ^ self._ones).to_bytes(self._width // 8, "big")


@lru_cache
def _remainder(width: int, polynomial: int, power: int) -> tuple[int, ...]:
    """Return the powers in x^power modulo the polynomial."""
    top = 1 << width
    value = 1
    for bit in f"{power:b}":
        square = sum(1 << (2 * place) for place in range(width) if value >> place & 1)
        value = square << 1 if bit == "1" else square
        for place in range(value.bit_length() - 1, width - 1, -1):
            if value >> place & 1:
                value ^= (top | polynomial) << (place - width)
    return tuple(place for place in range(width) if value >> place & 1)


@lru_cache
def _table(width: int, polynomial: int) -> tuple[int, ...]:
    reflected = int(f"{polynomial:0{width}b}"[::-1], 2)
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (reflected if value & 1 else 0)
        table.append(value)
    return tuple(table)


#: By the ends of their headers' names.
ALGORITHMS: Mapping[str, Callable[[], Sum]] = {
    "crc32": Crc32,
    "crc32c": lambda: FoldedCrc(32, 0x1EDC6F41),
    "crc64nvme": lambda: FoldedCrc(64, 0xAD93D23594C93659),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


class Sums:
    """The sums that a request names for its body, in its headers or to come in its trailers."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Find them. Raises a Fault for an algorithm that is not known, and for what is no sum."""
        self._expected = {
            name: value
            for name, value in headers.items()
            if name == _MD5 or (name.startswith(_PREFIX) and name not in _WORDS)
        }
        trailers = headers.get("x-amz-trailer", "").replace(" ", "").lower().split(",")
        self._later = {name for name in trailers if name.startswith(_PREFIX)}
        self._sums = {name: _sum(name) for name in {*self._expected, *self._later}}
        for name, text in self._expected.items():
            _require_sum(name, text, self._sums[name])

    @property
    def named(self) -> bool:
        """Whether the request names any."""
        return bool(self._sums)

    def update(self, data: bytes) -> None:
        """Take the next piece of the body."""
        for each in self._sums.values():
            each.update(data)

    def verify(self, trailers: Mapping[str, str] | None = None) -> dict[str, str]:
        """Compare all; return those that S3 tells back. Raises BadDigest."""
        expected = {**self._expected, **(trailers or {})}
        for name, each in self._sums.items():
            if name not in expected:
                raise invalid(f"The trailer {name} that was announced did not come.")
            if _require_sum(name, expected[name], each) != each.digest():
                raise Fault(
                    "BadDigest",
                    400,
                    f"The {name} you specified did not match what we received. "
                    "It was changed on its way: send it again.",
                )
        return {name: expected[name] for name in self._sums if name != _MD5}


def _sum(name: str) -> Sum:
    if name == _MD5:
        return hashlib.md5(usedforsecurity=False)
    algorithm = name.removeprefix(_PREFIX)
    if algorithm not in ALGORITHMS:
        raise invalid(
            f"The checksum algorithm {algorithm!r} is not known here; known are "
            f"{', '.join(ALGORITHMS)}.",
            "InvalidRequest",
        )
    return ALGORITHMS[algorithm]()


def _require_sum(name: str, text: str, of: Sum) -> bytes:
    """Return a sum's bytes. Raises a Fault for a text that can be no sum of this kind."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) == len(of.digest()):
        return found
    if name == _MD5:
        raise invalid("The Content-MD5 you specified was invalid.", "InvalidDigest")
    raise invalid(f"Value for {name} header is invalid.", "InvalidRequest")
