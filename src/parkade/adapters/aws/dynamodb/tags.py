"""Tags: an item for what has any, and for endpoints that will have them when they are created."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.contents import packed, unpacked
from parkade.adapters.documents import columns
from parkade.domain.errors import Unreadable
from parkade.ports.catalog import Tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.table import Table

_KIND = "tags"


class DynamoTagStore:
    """The tag store port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put_tags(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Store all tags of what is of this kind and name; none: forget them."""
        key = (_KIND, f"{kind}/{name}")
        if tags:
            content = packed(json.dumps(dict(tags), sort_keys=True), f"the tags of {kind} {name!r}")
            self._table.write([self._table.change.put(key, {"content": content})])
        else:
            self._table.write([self._table.change.delete(key)])

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any, those apart that cannot be read."""
        tags: dict[str, Mapping[str, str]] = {}
        unreadable: dict[str, str] = {}
        for item in self._table.query(_KIND, begins=f"{kind}/"):
            name = str(item["sk"]).partition("/")[2]
            try:
                tags[name] = _read(kind, name, item)
            except Unreadable as error:
                unreadable[name] = error.message
        return Tagged(tags, unreadable)

    def tags(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags, in the order of keys."""
        item = self._table.get(_KIND, f"{kind}/{name}")
        return {} if item is None else _read(kind, name, item)


def _read(kind: str, name: str, item: Item) -> Mapping[str, str]:
    with columns.reading(f"the tags of {kind} {name!r}"):
        row = {"content": unpacked(item.get("content"))}
        tags = columns.read_object(row, "content")
        return {key: columns.read_text(tags, key) for key in sorted(tags)}
