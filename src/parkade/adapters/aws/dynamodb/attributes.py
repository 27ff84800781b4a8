"""Items as DynamoDB spells them, and back.

Texts, whole numbers, truth values and bytes are all that stores write. What else is found, because
somebody has edited an item, is given as DynamoDB spells it: whoever reads it says that it is no
text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Attribute: TypeAlias = str | int | bool | bytes
#: An item as it was read: its attributes by name, the key among them.
Item: TypeAlias = "dict[str, Any]"


def encoded(attributes: Mapping[str, Attribute | None]) -> dict[str, dict[str, Any]]:
    """Return attributes as DynamoDB spells them; those that are None are left out."""
    return {name: spelt(value) for name, value in attributes.items() if value is not None}


def spelt(value: Attribute) -> dict[str, Any]:
    """Return one value as DynamoDB spells it."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, bytes):
        return {"B": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def decoded(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """Return the item that was read."""
    return {name: _read(value) for name, value in item.items()}


def _read(value: Mapping[str, Any]) -> Any:
    match value:
        case {"S": str(text)}:
            return text
        case {"BOOL": bool(flag)}:
            return flag
        case {"B": bytes(content)}:
            return content
        case {"N": str(digits)} if digits.lstrip("-").isdecimal():
            return int(digits)
        case _:
            return dict(value)
