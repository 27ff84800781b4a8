"""What pydantic says of a file, in words for people, each with its place and a suggestion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from parkade.apps.projectfile.problem import Place, Problem
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

#: How tags of unions stand in places: they are no keys of the file.
_TAG = re.compile(r"\([a-z]+\)")
_ABOUT_KEY = "[key]"
_UNKNOWN, _MISSING = "extra_forbidden", "missing"
#: Of a document alone, and never shown.
_SECRETS = "secrets"
#: What a value should have been, by the type of pydantic's error.
_WANTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number that is finite",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
#: What is wrong with a value that is out of bounds, by the type of pydantic's error.
_BOUNDS = {
    "greater_than": "{given} is not more than {gt:g}",
    "greater_than_equal": "{given} is less than {ge:g}",
    "less_than": "{given} is not less than {lt:g}",
    "less_than_equal": "{given} is more than {le:g}",
    "too_short": "has {actual_length} entries; {min_length} at least are needed",
    "too_long": "has {actual_length} entries; {max_length} at most are allowed",
    "string_too_short": "{given} has too few characters; {min_length} at least are needed",
    "string_too_long": "{given} has too many characters; {max_length} at most are allowed",
}
_NAMES = {
    r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$": "use letters, digits and hyphens",
    r"^\d{12}$": 'give its 12 digits in quotes: "123456789012"',
}


def explained(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return one problem for each of pydantic's errors; a key that is misspelt is one, not two."""
    told = [
        (each["type"], _explained(dict(each), model)) for each in error.errors(include_url=False)
    ]
    unknown = [problem.place for kind, problem in told if kind == _UNKNOWN]

    def is_there(place: Place) -> bool:
        others = (each for each in unknown if each[:-1] == place[:-1])
        return any(suggestion(str(each[-1]), [str(place[-1])]) for each in others)

    return [each for kind, each in told if kind != _MISSING or not is_there(each.place)]


def place_of(loc: tuple[str | int, ...]) -> Place:
    """Return the place of a file that pydantic's `loc` tells."""
    return tuple(part for part in loc if not _is_tag(part))


def _explained(error: dict[str, Any], model: type[BaseModel]) -> Problem:
    place = place_of(error["loc"])
    if place[:1] == (_SECRETS,):
        return Problem(place=place[:1], message="a value of it is not a text")
    if place and place[-1] == _ABOUT_KEY:
        return _about_name(error, place[:-1])
    if error["type"] == _UNKNOWN:
        known = sorted(_keys(model, error["loc"][:-1]))
        key = str(place[-1])[:80]
        hint = suggestion(key, known) or ("known are " + ", ".join(known) if known else "")
        return Problem(place=place, message=f"unknown key {key!r}", hint=hint)
    if error["type"] == _MISSING:
        return Problem(place=place, message="is missing", hint=f"give {place[-1]}")
    message, hint = _about_value(error, error["input"])
    return Problem(place=place, message=message, hint=hint)


def _about_name(error: dict[str, Any], place: Place) -> Problem:
    hint = _NAMES.get(str(error.get("ctx", {}).get("pattern")), error["msg"])
    if place[0] == "routes":
        hint = "a route is one path segment such as /falcon"
    return Problem(place=place, message=f"{str(place[-1])[:80]!r} is not a usable name", hint=hint)


def _about_value(error: dict[str, Any], given: object) -> tuple[str, str]:
    """Say what is wrong with a value, and what to do."""
    kind, context, shown = error["type"], error.get("ctx", {}), _shown(given)
    if kind in _WANTED:
        return f"{shown} is not {_WANTED[kind]}", _advice(kind, given)
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(given=shown, **context), ""
    if kind == "literal_error":
        wanted = _words(context["expected"])
        return f"{shown} is none of {', '.join(wanted)}", suggestion(str(given), wanted)
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return f"{shown} is not usable", _NAMES.get(pattern, f"it has to match {pattern}")
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, "), ""
    return f"{shown}: {error['msg'][:1].lower()}{error['msg'][1:]}", ""


def _shown(value: object) -> str:
    """Show what was given; long values and those within mappings are not: they may be secrets."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value if not isinstance(value, str) else value[:60])


def _advice(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, int | float):
        return f'write it in quotes: "{_shown(value)}"'
    if kind.endswith("_type") and value is None:
        return "leave it out, or give a value"
    return ""


def _words(expected: str) -> list[str]:
    return [word.strip("'") for word in re.split(r", | or ", expected)]


def _is_tag(part: object) -> bool:
    return isinstance(part, str) and _TAG.fullmatch(part) is not None


def _keys(model: type[BaseModel], place: Place) -> set[str]:
    """Return the keys that are known at a place of the model."""
    kinds: list[Any] = [model]
    for part in place:
        kinds = [inner for each in kinds for inner in _within(each, part)]
    return {
        field.alias or name
        for each in kinds
        if isinstance(each, type) and issubclass(each, BaseModel)
        for name, field in each.model_fields.items()
    }


def _within(kind: Any, part: str | int) -> Iterator[Any]:
    """Go through what may stand at one key of something of a kind."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if _is_tag(part):
            yield kind
            return
        for name, field in kind.model_fields.items():
            if part in {name, field.alias}:
                yield from _unwrapped(field.annotation)
    elif get_origin(kind) is dict:
        yield from _unwrapped(get_args(kind)[1])
    elif get_origin(kind) is list:
        yield from _unwrapped(get_args(kind)[0])


def _unwrapped(annotation: Any) -> Iterator[Any]:
    """Go through the kinds of a union, out of what they are wrapped in."""
    if isinstance(annotation, type) or get_origin(annotation) in {dict, list}:
        yield annotation
    elif get_origin(annotation) is not Literal:
        for each in get_args(annotation):
            yield from _unwrapped(each)
