"""Values of the service's shapes: lawful ones, and ones with one thing wrong, which is named."""

from functools import cache

from hypothesis import strategies as st

from parkade.apps.wire import patterns

#: How patterns begin that keep out control characters alone, from which many texts are slow to make.
WIDE = r"[\u0020-\uD7FF\uE000-\uFFFD"


def children(shape):
    match shape.type_name:
        case "structure":
            return list(shape.members.values())
        case "list":
            return [shape.member]
        case "map":
            return [shape.key, shape.value]
    return []


def reachable(shape, seen=None):
    """Every shape below, by name."""
    seen = {} if seen is None else seen
    if shape is not None and shape.name not in seen:
        seen[shape.name] = shape
        for child in children(shape):
            reachable(child, seen)
    return seen


def lawful(shape, depth=0):
    """A strategy of values that the shape describes; deep ones have what they must only."""
    match shape.type_name:
        case "structure":
            return _structure(shape, depth)
        case "list":
            least = shape.metadata.get("min", 0)
            most = min(shape.metadata.get("max", least + 2), _more(least, depth))
            return st.lists(lawful(shape.member, depth + 1), min_size=least, max_size=most)
        case "map":
            least = shape.metadata.get("min", 0)
            return st.dictionaries(
                lawful(shape.key, depth + 1),
                lawful(shape.value, depth + 1),
                min_size=least,
                max_size=_more(least, depth),
            )
        case "string":
            return _text(shape.metadata.get("pattern"), *_sizes(shape), _enum(shape))
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.integers(0, 2**32) | st.floats(0, 2**32)
    return _number(shape)


def _more(least, depth):
    return least if depth > 2 else least + 2


def _structure(shape, depth):
    required = {name: lawful(shape.members[name], depth + 1) for name in shape.required_members}
    optional = {}
    if depth < 3:
        optional = {
            name: lawful(member, depth + 1)
            for name, member in shape.members.items()
            if name not in required
        }
    return st.fixed_dictionaries(required, optional=optional)


def _sizes(shape):
    return shape.metadata.get("min", 0), shape.metadata.get("max", 10_000)


def _enum(shape):
    return tuple(shape.metadata.get("enum", ()))


@cache
def _text(pattern, least, most, enum):
    if enum:
        return st.sampled_from(enum)
    if pattern is None or pattern.startswith(WIDE):
        return st.text("abc", min_size=least, max_size=max(least, min(most, 20)))
    spelt = patterns._compiled(pattern, ascii_only=True)
    found = st.from_regex(spelt, fullmatch=True, alphabet=st.characters(max_codepoint=127))
    return found.filter(lambda text: least <= len(text) <= most)


def _number(shape):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in {"float", "double"}:
        return st.floats(least, most, allow_nan=False, allow_infinity=False)
    bound = 2**31 if shape.type_name == "integer" else 2**63
    return st.integers(
        -bound if least is None else least, bound - 1 if most is None else min(most, bound - 1)
    )


def spoilt(shape, value, path=""):
    """Give (what is wrong, the value with it, the place that is to be named) for each fault."""
    faults = {"structure": _of_structure, "list": _of_list, "string": _of_text}
    numbers = {"integer", "long", "float", "double"}
    if shape.type_name in faults:
        yield from faults[shape.type_name](shape, value, path)
    elif shape.type_name in numbers and "max" in shape.metadata:
        yield "large", shape.metadata["max"] + 1, path
    elif shape.type_name in numbers and "min" in shape.metadata:
        yield "small", shape.metadata["min"] - 1, path


def _of_structure(shape, value, path):
    yield "unknown", {**value, "Surplus": 1}, below(path, "Surplus")
    for name in shape.required_members:
        rest = {key: each for key, each in value.items() if key != name}
        yield "missing", rest, below(path, name)
    for name, each in value.items():
        for what, bad, at in spoilt(shape.members[name], each, below(path, name)):
            yield what, {**value, name: bad}, at


def _of_list(shape, value, path):
    if "max" in shape.metadata and value:
        yield "long", value * (shape.metadata["max"] + 1), path
    if shape.metadata.get("min", 0):
        yield "short", [], path
    for index, each in enumerate(value):
        for what, bad, at in spoilt(shape.member, each, f"{path}.{index + 1}.member"):
            yield what, [*value[:index], bad, *value[index + 1 :]], at


def _of_text(shape, _value, path):
    if "max" in shape.metadata:
        yield "long", "a" * (shape.metadata["max"] + 1), path
    if "enum" in shape.metadata:
        yield "enum", "no such value", path
    pattern = shape.metadata.get("pattern")
    if pattern and not patterns.matches(pattern, "\n;"):
        yield "pattern", "\n;", path


def mistyped(shape, value, path=""):
    """Give (the value with one of another type in it, its place)."""
    wrong = {
        "structure": ["text", [], 5, True],
        "map": ["text", [], 5],
        "list": ["text", {}, 5],
        "string": [5, {}, [], True, 1.5],
        "boolean": ["true", 1, {}],
        "timestamp": ["2026-01-01", {}, True, 1e300],
        "integer": ["5", 1.5, True, 2**31, {}],
        "long": ["5", 1.5, True, 2**63],
        "float": ["5", True, [], 10**400],
        "double": ["5", True, []],
    }
    yield from ((bad, path) for bad in wrong[shape.type_name])
    if shape.type_name == "structure":
        for name, each in value.items():
            inner = mistyped(shape.members[name], each, below(path, name))
            yield from (({**value, name: bad}, at) for bad, at in inner)
    elif shape.type_name == "list":
        for index, each in enumerate(value):
            for bad, at in mistyped(shape.member, each, f"{path}.{index + 1}.member"):
                yield [*value[:index], bad, *value[index + 1 :]], at


def below(path, name):
    lower = name[:1].lower() + name[1:]
    return f"{path}.{lower}" if path else lower
