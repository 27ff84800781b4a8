"""Lists in pages: MaxResults and NextToken.

A page goes on after the last entry of the one before, wherever that stands now, so that what
comes and goes in between neither repeats an entry nor hides one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from parkade.apps.autoscaling.faults import bad_token
from parkade.apps.wire import paging
from parkade.apps.wire.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parkade.domain.scaling.target import Resource

#: The most entries of a page, and how many they are where MaxResults does not say.
PAGE = 50
#: The same for scaling policies.
POLICIES = 10

_Record = TypeVar("_Record")
_Kind = TypeVar("_Kind")


def page(
    found: Iterable[_Record],
    given: Mapping[str, Any],
    place: Callable[[_Record], tuple[str, ...]],
    *,
    most: int = PAGE,
) -> tuple[list[_Record], dict[str, str]]:
    """Return a page in the order of `place`, and the NextToken of its answer where more follows.

    Raises ValidationException for MaxResults out of bounds, InvalidNextTokenException.
    """
    entries = sorted(found, key=place)
    if "NextToken" in given:
        after = _place(last(given, list))
        entries = [each for each in entries if place(each) > after]
    shown = entries[: limit(given, most)]
    more = {"NextToken": paging.token(list(place(shown[-1])))} if len(entries) > len(shown) else {}
    return shown, more


def limit(given: Mapping[str, Any], most: int = PAGE) -> int:
    """Return how many entries a page may have. Raises ValidationException."""
    asked: int = given.get("MaxResults", most)
    if not 1 <= asked <= most:
        raise invalid(f"MaxResults must be 1 to {most}, and is {asked}")
    return asked


def last(given: Mapping[str, Any], kind: type[_Kind]) -> _Kind:
    """Return the place that NextToken names. Raises InvalidNextTokenException."""
    try:
        (found,) = paging.position(given["NextToken"], kind)
    except ValueError as error:
        raise bad_token() from error
    return cast("_Kind", found)


def wanted(given: Mapping[str, Any], resource: Resource) -> bool:
    """Tell whether a list that is filtered by resource and dimension has this one."""
    resource_id: str = given.get("ResourceId", resource.id)
    dimension: str = given.get("ScalableDimension", resource.dimension)
    return resource_id == resource.id and dimension == resource.dimension


def _place(found: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(each, str) for each in found):
        raise bad_token()
    return tuple(found)
