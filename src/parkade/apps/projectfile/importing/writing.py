"""YAML written for people: in the order of the manual, with a comment where it helps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from parkade.apps.projectfile import yamlfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.projectfile.problem import Place
    from parkade.domain.event import Json

#: A text that means itself without quotes, in any YAML.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]*")
#: Texts that some readers of YAML take for something else.
_WORDS = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|none")
#: A mapping or list that is shorter is written in one line.
_WIDTH = 78


def write(content: Mapping[str, Json], comments: Mapping[Place, str]) -> str:
    """Return the content as YAML; a comment goes before what stands at its place, the empty one first."""
    lines = [f"# {line}".rstrip() for line in comments.get((), "").splitlines()]
    for key, value in content.items():
        if lines and isinstance(value, dict | list) and value:
            lines.append("")
        lines += _entry(key, value, (key,), comments, 0)
    return "\n".join(lines) + "\n"


def _entry(
    key: str, value: Json, place: Place, comments: Mapping[Place, str], depth: int
) -> Iterator[str]:
    indent = "  " * depth
    for line in comments.get(place, "").splitlines():
        yield f"{indent}# {line}".rstrip()
    head = f"{indent}{scalar(key)}:"
    if not isinstance(value, dict | list) or not value:
        yield f"{head} {_flow(value)}"
        return
    flow = f"{head} {_flow(value)}"
    commented = any(other[: len(place)] == place and other != place for other in comments)
    if depth and len(flow) <= _WIDTH and not commented and not _deep(value):
        yield flow
        return
    yield head
    yield from _block(value, place, comments, depth + 1)


def _block(value: Json, place: Place, comments: Mapping[Place, str], depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _entry(key, each, (*place, key), comments, depth)
    elif isinstance(value, list):
        indent = "  " * depth
        for number, each in enumerate(value):
            if not isinstance(each, dict | list) or len(indent + _flow(each)) <= _WIDTH:
                yield f"{indent}- {_flow(each)}"
                continue
            first, *others = _block(each, (*place, number), comments, depth + 1)
            yield f"{indent}- {first.lstrip()}"
            yield from others


def _deep(value: Json) -> bool:
    """Tell whether there is something within what is in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(each, dict | list) and each for each in inner)


def _flow(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)


def scalar(value: Json) -> str:
    """Return a text, number, truth value or null as every reader of YAML takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return "null" if value is None else str(value)
    if _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value) and yamlfile.scalar(value) == value:
        return value
    written = yaml.safe_dump(value, default_style='"', width=10**6, allow_unicode=True)
    return str(written).removesuffix("\n")
