"""Pages of lists: ordered by name or from the newest, continued after the last of the page before."""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[str, Query(description="Only what comes after this; the `next` of a page.")]

_Item = TypeVar("_Item")


def page(
    items: Iterable[_Item], name: Callable[[_Item], str], *, limit: int, after: str
) -> tuple[list[_Item], str | None]:
    """Return one page, and the name to go on after; None where there is no more."""
    rest = sorted((item for item in items if name(item) > after), key=name)
    found = rest[:limit]
    return found, name(found[-1]) if len(rest) > limit else None


def newest(
    items: Iterable[_Item], moment: Callable[[_Item], str], *, limit: int, after: str
) -> tuple[list[_Item], str | None]:
    """Return one page from the newest on, and the moment to go on before; None: no more.

    Moments are texts that sort as they came, and differ.
    """
    rest = sorted(
        (item for item in items if not after or moment(item) < after), key=moment, reverse=True
    )
    found = rest[:limit]
    return found, moment(found[-1]) if len(rest) > limit else None
