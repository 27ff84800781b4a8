"""Compares the contents of parts, member by member, and takes their fingerprint.

A member that is null is as good as left out. Objects in a list that all have a name of their own
are compared by it, so that a second variant does not look like a change of the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

from parkade.domain.project.difference import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.event import Json

#: Members that name a variant: each is told by its own members, new ones too.
_VARIANTS = ("VariantName", "variantName")
#: Members that name an object in a list.
_NAMES = (*_VARIANTS, "name", "Name", "Id", "id", "Key")
#: Hexadecimal digits of a fingerprint.
_DIGITS = 16


def fields(before: Json, after: Json) -> tuple[Field, ...]:
    """Return what differs, in the order of the paths."""
    return tuple(_fields(before, after, ""))


def fingerprint(content: Json) -> str:
    """Return a short text that equal contents have in common, and others do not."""
    told = json.dumps(_bare(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]


def _fields(before: Json, after: Json, path: str) -> Iterator[Field]:
    was, will = _members(before, after), _members(after, before)
    if was is not None and will is not None:
        for name in sorted({*was, *will}):
            inner = f"{path}.{name}" if path else name
            yield from _fields(was.get(name), will.get(name), inner)
        return
    old, new = _beside(before, after), _beside(after, before)
    if old is not None and new is not None:
        for name in sorted({*old, *new}):
            yield from _fields(old.get(name), new.get(name), f"{path}[{name}]")
        common = [name for name in old if name in new]
        if common != [name for name in new if name in old]:
            yield Field(path=path, before=list(old), after=list(new))
        return
    if _objects(before) and _objects(after) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _fields(one, other, f"{path}[{number}]")
        return
    if not _same(before, after):
        yield Field(path=path, before=before, after=after)


def _same(before: Json, after: Json) -> bool:
    return json.dumps(_bare(before), sort_keys=True) == json.dumps(_bare(after), sort_keys=True)


def _members(value: Json, other: Json) -> Mapping[str, Json] | None:
    """Return the members of an object, none where it is null beside one that has some."""
    if value is None and isinstance(other, Mapping) and other:
        return {}
    return value if isinstance(value, Mapping) else None


def _objects(value: Json) -> TypeGuard[Sequence[Json]]:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(each, Mapping) for each in value)
    )


def _beside(value: Json, other: Json) -> Mapping[str, Json] | None:
    """Return the objects of a list by their names, none where there are variants in the other."""
    if value is None and _named(other, _VARIANTS) is not None:
        return {}
    return _named(value)


def _named(value: Json, members: Sequence[str] = _NAMES) -> Mapping[str, Json] | None:
    """Return the objects of a list by their names; None: it is no such list."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    for member in members:
        named: dict[str, Json] = {}
        for each in value:
            name = each.get(member) if isinstance(each, Mapping) else None
            if isinstance(name, str):
                named[name] = each
        if len(named) == len(value):
            return named
    return None


def _bare(value: Json) -> Json:
    """Return a value without members that are null, and with numbers in one form."""
    if isinstance(value, Mapping):
        return {name: _bare(each) for name, each in value.items() if each is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_bare(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
