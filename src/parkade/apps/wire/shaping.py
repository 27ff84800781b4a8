"""What a shape knows of a value: the content of answers, whatever protocol carries it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.wire.description import Shape


def shaped(shape: Shape, value: Any, instant: Callable[[datetime | float], Any]) -> Any:
    """Return what the shape knows of a value; `instant` gives instants the protocol's form."""
    match shape.type_name:
        case "structure":
            return {
                name: shaped(member, value[name], instant)
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case "list":
            return [shaped(shape.member, each, instant) for each in value]
        case "map":
            return {key: shaped(shape.value, each, instant) for key, each in value.items()}
        case "timestamp":
            return instant(value)
        case _:
            return value


def seconds(instant: datetime | float) -> float:
    """Return an instant as seconds since 1970; AWS gives milliseconds."""
    return round(instant.timestamp() if isinstance(instant, datetime) else instant, 3)
