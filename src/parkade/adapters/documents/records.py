"""Records as JSON documents and back, by the annotations of their dataclasses.

What comes back is checked: a file can be damaged or edited.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from parkade.domain.errors import InvalidInput, Unreadable
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_Record = TypeVar("_Record")
#: Kinds of members that are no instant and hold none.
_PLAIN = frozenset({bool, float, int, str, timedelta, type(None)})
_MEND = "it is left alone; put it right in the database, or restore a copy"


class Documents(Generic[_Record]):
    """The documents of one kind of record; `noun` is what messages call one."""

    def __init__(self, kind: type[_Record], noun: str) -> None:
        # Recursive as it is, its name is all that the annotations of records need.
        Json = Any  # noqa: N806, F841  pydantic finds it here, by its name
        kind.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
        self._adapter: TypeAdapter[_Record] = TypeAdapter(kind)
        self._noun = noun

    def write(self, record: _Record) -> str:
        """Return the record as JSON."""
        return self._adapter.dump_json(record).decode()

    def read(self, name: str, content: object) -> _Record:
        """Return the record. Raises Unreadable that names it and what is wrong with it."""
        try:
            if not isinstance(content, str):
                raise Unreadable(f"{content!r} is not a text")  # noqa: TRY301  told below, with its name
            record = self._adapter.validate_json(content.encode(), strict=True)
            _require_aware(record)
        except (Unreadable, InvalidInput) as error:
            raise self._unreadable(name, error.message) from error
        except UnicodeEncodeError as error:
            raise self._unreadable(name, "it is not UTF-8") from error
        except ValidationError as error:
            raise self._unreadable(name, _explain(error)) from error
        return record

    def listing(self, rows: Iterable[sqlite3.Row]) -> Listing[_Record]:
        """Return the records of rows, and apart why others cannot be read.

        A row begins with what the record is known by, and has it as its `content`.
        """
        return self.listed((str(row[0]), row["content"]) for row in rows)

    def listed(self, found: Iterable[tuple[str, object]]) -> Listing[_Record]:
        """Return the records of names and contents, and apart why others cannot be read."""
        records: list[_Record] = []
        unreadable: dict[str, str] = {}
        for name, content in found:
            try:
                records.append(self.read(name, content))
            except Unreadable as error:
                unreadable[name] = error.message
        return Listing(tuple(records), unreadable)

    def _unreadable(self, name: str, why: str) -> Unreadable:
        return Unreadable(f"{self._noun} {name!r} cannot be read: {why}", hint=_MEND)


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _require_aware(value: Any) -> None:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise Unreadable(f"{value} is an instant without a time zone")
    elif isinstance(value, tuple):
        for each in value:
            _require_aware(each)
    else:
        kind: Any = type(value)
        for name in _members(kind):
            each = getattr(value, name)
            # Most members are plain; thousands of records are read at a time.
            if type(each) not in _PLAIN:
                _require_aware(each)


@cache
def _members(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
