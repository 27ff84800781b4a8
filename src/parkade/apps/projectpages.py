"""What the manual has of parkade.yaml that is made from the code: its reference, and its schema."""

from __future__ import annotations

import json
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from parkade.apps.projectfile.content import Content
from parkade.apps.projectfile.references import Reference
from parkade.apps.projectfile.schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_HEAD = """# parkade.yaml, key by key

<!-- Made by `make docs` from src/parkade/apps/projectfile/; change it there. -->

What the file is for, and examples of it, are in [project.md](project.md). `KEY` stands for a name that
you give, `[]` for the items of a list. Where a value is a secret, a reference takes its place:
`{env: NAME}`, `{file: PATH}`, or on AWS `{aws_secret: ARN}`. Null is the same as leaving a key out, unless
it says otherwise.

Beside these keys a file may have `stages`: a mapping of names to what each of them lays over the file, with
`base`, the stage that it builds on.
"""
_TABLE = "| key | default | meaning |\n| --- | --- | --- |\n"


def published() -> str:
    """Return docs/parkade.schema.json."""
    return json.dumps(schema(), indent=1) + "\n"


def reference() -> str:
    """Return docs/project-reference.md."""
    plain, sections = [], []
    for name, field in Content.model_fields.items():
        rows = "".join(_rows(name, field))
        if _inner(field.annotation) is None:
            plain.append(rows)
        else:
            sections.append(f"\n## {name}\n\n{_TABLE}{rows}")
    return f"{_HEAD}\n## The project\n\n{_TABLE}{''.join(plain)}{''.join(sections)}"


def _rows(key: str, field: FieldInfo) -> Iterator[str]:
    """Go through the rows of a key, and of all keys within it."""
    found = _inner(field.annotation)
    if found is None:
        yield _row(key, field)
        return
    suffix, section = found
    if NoneType in get_args(field.annotation) or suffix or field.is_required():
        yield _row(key, field)
    for name, each in section.model_fields.items():
        yield from _rows(f"{key}{suffix}.{each.alias or name}", each)


def _row(key: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"`{_default(field)}`"
    return f"| `{key}` | {default} | {field.description} |\n"


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    return json.dumps(value)


def _inner(annotation: Any) -> tuple[str, type[BaseModel]] | None:
    """Return the section that a key holds, and how its keys are spelt on the way to it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None if annotation is Reference else ("", annotation)
    kind = get_origin(annotation)
    arguments = get_args(annotation)
    if kind is dict:
        found = _inner(arguments[1])
        return None if found is None else (f".KEY{found[0]}", found[1])
    if kind is list:
        found = _inner(arguments[0])
        return None if found is None else (f"[]{found[0]}", found[1])
    return next((found for each in arguments if (found := _inner(each))), None)
