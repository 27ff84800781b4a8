"""Descriptions of all that a list of SageMaker names: a call each, some of them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from parkade.domain.errors import NotFound, Unreadable
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Record = TypeVar("_Record")

#: SageMaker's longest page of names.
PAGE = 100
#: How many descriptions are asked for at once.
_AT_ONCE = 8


def described(names: Iterable[str], describe: Callable[[str], _Record]) -> Listing[_Record]:
    """Return what is described of each in the order of names, and why others cannot be read.

    What went since it was listed is in neither.
    """
    unreadable: dict[str, str] = {}

    def one(name: str) -> _Record | None:
        try:
            return describe(name)
        except NotFound:
            return None
        except Unreadable as error:
            unreadable[name] = error.message
            return None

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = tuple(each for each in threads.map(one, sorted(names)) if each is not None)
    return Listing(found, dict(sorted(unreadable.items())))
