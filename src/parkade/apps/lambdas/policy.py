"""Which methods of the API a caller may call: an IAM policy of what its role needs no more for.

API Gateway keeps a policy for a while, for all that the token asks for meanwhile, so that it names
everything that the token may call. Paths that belong together are named by their beginning where the
role may call all of them. IAM's `*` goes beyond slashes: what a name would allow by that is denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from typing import TYPE_CHECKING

from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_ANY = "*"
#: Stands for what a template leaves open, to try patterns on.
_SOME = "x"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of the API; in its path, what is left open is `*`."""

    method: str
    path: tuple[str, ...]
    role: Role | None

    def open_to(self, role: Role) -> bool:
        """Tell whether the role may call it."""
        return self.role is None or role.includes(self.role)

    @property
    def pattern(self) -> str:
        """The end of its ARN."""
        return _spelt(self.method, self.path)

    @property
    def sample(self) -> str:
        """The end of the ARN of one call of it."""
        return self.pattern.replace(_ANY, _SOME)


def operations(roles: Mapping[str, str]) -> tuple[Operation, ...]:
    """Return the API's operations, of their roles by `METHOD /path`."""
    return tuple(_operation(key, role) for key, role in sorted(roles.items()))


def _operation(key: str, role: str) -> Operation:
    method, _, path = key.partition(" ")
    parts = tuple(_ANY if part.startswith("{") else part for part in _parts(path))
    return Operation(method, parts, None if role == "none" else Role(role))


@dataclass(frozen=True, slots=True)
class Reach:
    """What a caller may call: the ends of ARNs that are allowed, and those that are denied."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...] = ()

    def covers(self, end: str) -> bool:
        """Tell whether a call is within it, as IAM does."""
        return matched(end, self.allowed) and not matched(end, self.denied)


def reach(table: Sequence[Operation], role: Role) -> Reach:
    """Return what of the API a role may call."""
    allowed = tuple(_cover((), list(table), lambda each: each.open_to(role)))
    open_ = [each.sample for each in table if each.open_to(role)]
    denied = tuple(
        each.pattern
        for each in table
        if not each.open_to(role)
        and matched(each.sample, allowed)
        and not any(matched(sample, [each.pattern]) for sample in open_)
    )
    return Reach(allowed=allowed, denied=denied)


def matched(end: str, patterns: Iterable[str]) -> bool:
    """Tell whether one of IAM's patterns matches."""
    return any(fnmatchcase(end, pattern) for pattern in patterns)


def model_routes(
    routes: Mapping[str, Mapping[str, object]], endpoints: frozenset[str]
) -> tuple[str, ...]:
    """Return the ends of the ARNs of the model routes that lead to these endpoints; none: to all."""
    return tuple(
        _spelt("POST", _parts(path))
        for path, route in sorted(routes.items())
        if not endpoints or route["endpoint"] in endpoints
    )


def _cover(
    prefix: tuple[str, ...], rows: list[Operation], open_: Callable[[Operation], bool]
) -> Iterator[str]:
    """Give patterns for the operations below a path that are open, as few as say no more."""
    if prefix:
        if all(map(open_, rows)):
            yield from _whole(prefix, rows)
            return
        for method in sorted({row.method for row in rows}):
            of_method = [row for row in rows if row.method == method]
            if all(map(open_, of_method)):
                yield from _whole(prefix, of_method)
                rows = [row for row in rows if row.method != method]
    depth = len(prefix)
    yield from (row.pattern for row in rows if len(row.path) == depth and open_(row))
    deeper = sorted((row for row in rows if len(row.path) > depth), key=lambda row: row.path)
    for part, below in groupby(deeper, key=lambda row: row.path[depth]):
        yield from _cover((*prefix, part), list(below), open_)


def _whole(prefix: tuple[str, ...], rows: Sequence[Operation]) -> Iterator[str]:
    methods = {row.method for row in rows}
    method = methods.pop() if len(methods) == 1 else _ANY
    if any(len(row.path) == len(prefix) for row in rows):
        yield _spelt(method, prefix)
    deeper = [row for row in rows if len(row.path) > len(prefix)]
    if len(deeper) == 1:
        yield deeper[0].pattern
    elif deeper:
        yield _spelt(method, (*prefix, _ANY))


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def _spelt(method: str, path: Sequence[str]) -> str:
    return "/".join((method, *path))
