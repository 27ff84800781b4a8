"""A page of a listing: which keys, and which common beginnings in place of many keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names on one page, each kind in its order; `following` goes on after the last one."""

    keys: tuple[str, ...]
    prefixes: tuple[str, ...]
    #: Where the next page begins: given as its `after`. Empty: there is no more.
    following: str


def page(
    keys: Iterable[str], *, prefix: str = "", delimiter: str = "", after: str = "", limit: int
) -> Names:
    """Return at most `limit` names that come after `after`, of keys that come in their order.

    With a delimiter, keys that have it behind the prefix are told together, by what they have in
    common up to there; that counts as one name.
    """
    found: list[str] = []
    together: list[str] = []
    last = ""
    group = after if delimiter and after.endswith(delimiter) else ""
    for key in keys:
        if not key.startswith(prefix) or key <= after or (group and key.startswith(group)):
            continue
        if len(found) + len(together) == limit:
            return Names(keys=tuple(found), prefixes=tuple(together), following=last)
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            found.append(key)
            last = key
        else:
            group = last = key[: end + len(delimiter)]
            together.append(group)
    return Names(keys=tuple(found), prefixes=tuple(together), following="")
