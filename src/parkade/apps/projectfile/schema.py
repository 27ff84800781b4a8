"""The JSON Schema of parkade.yaml, for editors: they complete what it knows, and mark what it does not.

It is made from the sections, and adds what only a file has: stages, which may leave out whatever is
required, and variables of the environment in place of any value.
"""

from __future__ import annotations

from typing import Any

from parkade.apps.projectfile.content import Content

#: The name it is published under, relative to wherever it lies.
ID = "parkade.schema.json"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
_OVERLAY, _STAGE, _VARIABLE = "Overlay", "Stage", "Variable"
_FIXED = ("project", "stage")
_EXAMPLE = {
    "project": "TextClassification",
    "stage": "Demo",
    "models": {"model-a": {"source": "models/model-a", "image": "pytorch-inference"}},
    "endpoints": {
        "TextClassification": {
            "variants": [{"name": "Model-A", "model": "model-a", "type": "ml.c5.xlarge"}],
            "lease": {"minutes": 60},
        }
    },
    "routes": {"/text": {"endpoint": "TextClassification"}},
    "stages": {"prod": {"endpoints": {"TextClassification": {"lease": {"minutes": 480}}}}},
}


def schema() -> dict[str, Any]:
    """Return the schema."""
    made = Content.model_json_schema()
    inner = made.pop("$defs")
    definitions = {name: _of_file(each) for name, each in inner.items()}
    overlays = {f"{name}{_OVERLAY}": _overlay(each) for name, each in definitions.items()}
    whole = _of_file(made)
    stage = _overlay(whole)
    for name in _FIXED:
        stage["properties"].pop(name)
    stage["properties"]["base"] = {
        "type": "string",
        "description": "the stage that this one is laid over; left out: the file alone.",
    }
    stage["description"] = "What a stage changes. Null removes; lists of named things are merged."
    whole["properties"]["stages"] = {
        "type": "object",
        "description": "stages by their names: what each lays over the file.",
        "additionalProperties": {"anyOf": [{"$ref": _REF + _STAGE}, {"type": "null"}]},
    }
    whole["properties"]["$schema"] = {
        "type": "string",
        "description": "this schema, for editors of JSON; nothing else reads it.",
    }
    return {
        "$schema": _DRAFT,
        "$id": ID,
        **whole,
        "title": "Parkade project",
        "description": "A serving project: models, endpoints, routes and what watches them.",
        "examples": [_EXAMPLE],
        "$defs": {
            **definitions,
            **overlays,
            _STAGE: stage,
            _VARIABLE: {
                "type": "string",
                "pattern": r"\$\{",
                "description": "holds a variable: `${NAME}` or `${NAME:-default}`.",
            },
        },
    }


def _of_file(node: Any) -> Any:
    """Return a schema with variables in place of values, and without what only repeats keys."""
    if isinstance(node, list):
        return [_of_file(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: {name: _of_file(each) for name, each in value.items()}
        if key in {"properties", "patternProperties"}
        else value
        if key in {"default", "examples", "enum", "const"}
        else _of_file(value)
        for key, value in node.items()
        if key != "title"
    }
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    if kept.get("type") in {"integer", "number", "boolean"} or (
        kept.get("type") == "string" and {"pattern", "enum", "const"} & kept.keys()
    ):
        return _or(kept, {"$ref": _REF + _VARIABLE})
    return kept


def _overlay(node: Any) -> Any:
    """Return a schema of what is laid over something: nothing is required, and null removes."""
    if isinstance(node, list):
        return [_overlay(each) for each in node]
    if not isinstance(node, dict):
        return node
    told: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref":
            own = value != _REF + _VARIABLE
            told[key] = f"{value}{_OVERLAY}" if own else value
        elif key in {"properties", "patternProperties"}:
            told[key] = {
                name: _or(_overlay(each), {"type": "null"}) for name, each in value.items()
            }
        elif key == "additionalProperties" and isinstance(value, dict):
            told[key] = _or(_overlay(value), {"type": "null"})
        elif key not in {"required", "default"}:
            told[key] = _overlay(value) if key not in {"examples", "enum", "const"} else value
    return told


def _or(schema: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes one more form; what is said of the value stays outside."""
    if other in schema.get("anyOf", ()):
        return schema
    outside = {"description", "default", "examples"}
    about = {key: value for key, value in schema.items() if key in outside}
    inner = {key: value for key, value in schema.items() if key not in outside}
    forms = inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]
    return {**about, "anyOf": [*forms, other]}
