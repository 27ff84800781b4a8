"""The one form of a request that both sides sign: AWS's canonical request.

What may differ on the way without a difference in meaning (the order of parameters, the case of
header names, blanks) is written in one way; all else is part of the signature as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote_from_bytes, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parkade.apps.signing.refusals import Service

Headers: TypeAlias = "Sequence[tuple[bytes, bytes]]"
#: Names and values of a query, with their percent signs resolved.
Pairs: TypeAlias = "list[tuple[bytes, bytes]]"
_ORIGIN = re.compile(rb"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request's head as it came: `target` is path and query, undecoded."""

    method: bytes
    target: bytes
    headers: Headers

    def header(self, name: bytes) -> bytes | None:
        """Return a header's value in its signed form; `name` in lower case. None: not there."""
        values = [folded(value) for key, value in self.headers if key.lower() == name]
        return b",".join(values) if values else None

    def split(self) -> tuple[bytes, bytes]:
        """Return path and query."""
        path, _, query = origin_form(self.target).partition(b"?")
        return path or b"/", query

    def query(self) -> Pairs:
        """Return the parameters of the query."""
        return [
            (_decoded(name), _decoded(value))
            for name, _, value in (
                pair.partition(b"=") for pair in self.split()[1].split(b"&") if pair
            )
        ]


def origin_form(target: bytes) -> bytes:
    """Return path and query of a target that may be absolute, as it is sent to proxies."""
    rest = _ORIGIN.sub(b"", target)
    return rest if rest == target or rest.startswith(b"/") else b"/" + rest


def request(
    asked: Request, *, service: Service, query: Pairs, signed: Iterable[bytes], payload: bytes
) -> bytes:
    """Return the canonical request; `query` and `signed` name what of it is signed."""
    names = sorted(signed)
    return b"\n".join((
        asked.method,
        _path(asked.split()[0], service),
        _query(query),
        *(b"%b:%b" % (name, asked.header(name) or b"") for name in names),
        b"",
        b";".join(names),
        payload,
    ))  # fmt: skip


def folded(value: bytes) -> bytes:
    """Return a header's value without blanks at its ends, runs of them inside as one."""
    return b" ".join(value.split())


def _path(path: bytes, service: Service) -> bytes:
    if service == "s3":
        # A key may hold anything, empty and dotted segments included.
        return _quoted(unquote_to_bytes(path), safe="/")
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in {b"", b"."}:
            kept.append(segment)
    end = b"/" if kept and path.endswith(b"/") else b""
    # Quoted once more than it was sent.
    return _quoted(b"/" + b"/".join(kept) + end, safe="/")


def _query(pairs: Pairs) -> bytes:
    quoted = sorted((_quoted(name), _quoted(value)) for name, value in pairs)
    return b"&".join(b"%b=%b" % pair for pair in quoted)


def _decoded(part: bytes) -> bytes:
    return unquote_to_bytes(part.replace(b"+", b" "))


def _quoted(part: bytes, safe: str = "") -> bytes:
    return quote_from_bytes(part, safe=safe).encode()
