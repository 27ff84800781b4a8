"""The documentation: whole, true, and without a network."""

import re
from pathlib import Path

import pytest

from parkade.apps.api.app import create_app

STATIC = Path(create_app.__code__.co_filename).parent / "static"
#: What /openapi.json serves; it takes more than half a second to be made.
OPENAPI = create_app(None).openapi()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_is_described_and_states_its_role(method, path, operation):
    text, _, needed = operation["description"].rpartition("\n\n")
    assert len(text) > 20
    assert operation["tags"]
    if operation["x-role"] == "none":
        assert needed == "Needs no token."
        assert "security" not in operation
    else:
        assert needed == f"Needs the role **{operation['x-role']}**."
        assert operation["security"] == [{"token": []}]
        assert "4XX" in operation["responses"]
    assert "422" not in operation["responses"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_parameter_of_a_query_is_described(method, path, operation):
    for parameter in operation.get("parameters", []):
        assert parameter["in"] == "path" or parameter.get("description"), parameter["name"]


def test_forms_refuse_unknown_fields_in_the_document_too():
    schemas = OPENAPI["components"]["schemas"]
    forms = {name: schema for name, schema in schemas.items() if name.endswith("Form")}
    assert len(forms) >= 10
    assert all(schema["additionalProperties"] is False for schema in forms.values())
    assert schemas["ExtendForm"]["properties"]["minutes"]["exclusiveMinimum"] == 0


def test_tags_are_those_that_are_explained():
    used = {tag for _, _, operation in OPERATIONS for tag in operation["tags"]}
    assert used == {tag["name"] for tag in OPENAPI["tags"]}


def test_the_document_is_served_without_a_token(world):
    document = world.ok("GET", "/openapi.json", by=None)
    assert document["components"]["securitySchemes"]["token"]["name"] == "Authorization"


def test_the_page_and_all_it_loads_come_from_here(world):
    page = world.call("GET", "/docs", by=None)
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 6
    for address in loaded:
        assert "//" not in address
        assert world.call("GET", f"/{address}", by=None).status_code == 200


def test_the_vendored_files_are_whole_and_licensed():
    folder = STATIC / "swagger-ui"
    version = re.search(r"Swagger UI ([\d.]+)", (folder / "README.md").read_text())
    assert version
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "SmartBear" in (folder / "NOTICE").read_text()
    assert (folder / "swagger-ui-bundle.js.LICENSE.txt").stat().st_size > 0
    assert f"{version[1]}" in (folder / "swagger-ui-bundle.js").read_text()
