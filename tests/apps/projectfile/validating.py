"""JSON Schema, as much of it as the schema of parkade.yaml says; any other keyword is an error."""

import re

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_TEXTS = {"description", "title", "default", "examples", "$schema", "$id", "$defs"}


def errors(schema, value, root, place="$"):
    """Return what is wrong with a value."""
    found = []
    for keyword, wanted in schema.items():
        if keyword not in _TEXTS:
            found += _KEYWORDS[keyword](wanted, value, schema, root, place)
    return found


def _ref(wanted, value, _schema, root, place):
    return errors(root["$defs"][wanted.removeprefix("#/$defs/")], value, root, place)


def _type(wanted, value, _schema, _root, place):
    kind = _TYPES[wanted]
    fits = isinstance(value, kind) and (wanted == "boolean" or not isinstance(value, bool))
    return [] if fits else [f"{place}: {value!r} is no {wanted}"]


def _properties(wanted, value, _schema, root, place):
    if not isinstance(value, dict):
        return []
    return [
        each
        for key, inner in wanted.items()
        if key in value
        for each in errors(inner, value[key], root, f"{place}.{key}")
    ]


def _pattern_properties(wanted, value, _schema, root, place):
    return [
        each
        for pattern, inner in wanted.items()
        for key in value
        if re.search(pattern, key)
        for each in errors(inner, value[key], root, f"{place}.{key}")
    ]


def _additional(wanted, value, schema, root, place):
    if not isinstance(value, dict):
        return []
    patterns = schema.get("patternProperties", {})
    others = [
        key
        for key in value
        if key not in schema.get("properties", {}) and not any(re.search(p, key) for p in patterns)
    ]
    if wanted is False:
        return [f"{place}.{key}: unknown" for key in others]
    return [e for key in others for e in errors(wanted, value[key], root, f"{place}.{key}")]


def _any_of(wanted, value, _schema, root, place):
    tried = [errors(each, value, root, place) for each in wanted]
    return [] if [] in tried else [f"{place}: {min(tried, key=len)}"]


def _one_of(wanted, value, _schema, root, place):
    fitting = sum(not errors(each, value, root, place) for each in wanted)
    return [] if fitting == 1 else [f"{place}: {value!r} fits {fitting} of the forms"]


def _simple(fits, kinds):
    def check(wanted, value, _schema, _root, place):
        if not isinstance(value, kinds) or isinstance(value, bool) or fits(value, wanted):
            return []
        return [f"{place}: {value!r} is not within {wanted!r}"]

    return check


_NUMBER = (int, float)
_KEYWORDS = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "propertyNames": lambda wanted, value, _s, root, place: [
        each for key in value for each in errors(wanted, key, root, f"{place}.{key}")
    ],
    "items": lambda wanted, value, _s, root, place: [
        each
        for number, item in enumerate(value if isinstance(value, list) else ())
        for each in errors(wanted, item, root, f"{place}[{number}]")
    ],
    "required": lambda wanted, value, _s, _r, place: [
        f"{place}.{key} is missing"
        for key in wanted
        if isinstance(value, dict) and key not in value
    ],
    "enum": lambda wanted, value, _s, _r, place: (
        [] if value in wanted else [f"{place}: {value!r} is none of {wanted}"]
    ),
    "const": lambda wanted, value, _s, _r, place: (
        [] if value == wanted and type(value) is type(wanted) else [f"{place}: {value!r}"]
    ),
    "pattern": _simple(lambda value, wanted: re.search(wanted, value) is not None, str),
    "minLength": _simple(lambda value, wanted: len(value) >= wanted, str),
    "maxLength": _simple(lambda value, wanted: len(value) <= wanted, str),
    "minItems": _simple(lambda value, wanted: len(value) >= wanted, list),
    "maxItems": _simple(lambda value, wanted: len(value) <= wanted, list),
    "minimum": _simple(lambda value, wanted: value >= wanted, _NUMBER),
    "maximum": _simple(lambda value, wanted: value <= wanted, _NUMBER),
    "exclusiveMinimum": _simple(lambda value, wanted: value > wanted, _NUMBER),
}
