"""Whatever is sent, the answer is an answer: never a bug, and errors in the one shape."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.api.test_openapi import OPENAPI, OPERATIONS
from tests.apps.api.test_roles import ENDLESS
from tests.apps.api.world import World
from tests.builders import an_endpoint

SCHEMAS = OPENAPI["components"]["schemas"]
WORDS = ["falcon", "falcon-config", "operator", "", "-", "a/b", "é", "\x00", "x" * 300, "1", "true"]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["name", "weight"]), inner)
    ),
    max_leaves=6,
)


def body_of(operation):
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    for each in [schema, *schema.get("anyOf", [])]:
        if "$ref" in each:
            return SCHEMAS[each["$ref"].rsplit("/", 1)[-1]]
    return None


def parameters(operation, place):
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == place]


def furnished():
    world = World()
    world.add()
    world.hosting.place(an_endpoint())
    world.host.running["falcon"] = ()
    return world


def check(answer):
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        assert answer.json()["error"]["code"]


CALLS = [each for each in OPERATIONS if each[1] != ENDLESS]


@pytest.mark.parametrize(("method", "path", "operation"), [c for c in CALLS if body_of(c[2])])
def test_any_body(method, path, operation):
    fields = list(body_of(operation)["properties"])
    known = st.dictionaries(st.sampled_from(fields) | st.text(max_size=8), values)
    world = furnished()
    place = path.replace("{endpoint_name}", "falcon").replace("{path}", "falcon")

    @settings(max_examples=60)
    @given(known | values)
    def fuzz(body):
        check(world.call(method, place, content=json.dumps(body), by="admin"))
        while world.pending:
            world.pending.pop().close()

    fuzz()


@pytest.mark.parametrize(("method", "path", "operation"), CALLS)
def test_any_path_and_query(method, path, operation):
    names = parameters(operation, "query")
    world = furnished()
    word = st.sampled_from([*WORDS, "..", ".", "%2e%2e"]) | st.text(max_size=10)
    query = st.dictionaries(st.sampled_from([*names, "other"]), word, max_size=3)

    @settings(max_examples=30)
    @given(st.data(), query)
    def fuzz(data, query):
        place = path
        for parameter in parameters(operation, "path"):
            text = data.draw(word).encode(errors="replace").hex("%")
            place = place.replace(f"{{{parameter}}}", f"%{text}" if text else "")
        options = {} if method == "GET" else {"content": b"{}"}
        check(world.call(method, place, params=query, by="admin", **options))
        while world.pending:
            world.pending.pop().close()

    fuzz()
