"""What the functions are deployed with: the modules that they reach, and the libraries of these."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from parkade.domain.errors import InvalidInput
from parkade.infra import code, layers
from parkade.infra.naming import Title
from tests.infra.synthesizing import estate, synthesized

#: What is installed under other names than it is imported by.
_DISTRIBUTIONS = {
    "prometheus_client": "prometheus-client",
    "yaml": "pyyaml",
    "dateutil": "botocore",
}
_DISTRIBUTIONS |= {"starlette": "fastapi", "urllib3": "botocore", "pydantic_core": "pydantic"}
#: What only other clouds' sides of modules import, inside of functions that are not called here.
_ELSEWHERE = {"uvloop", "uvicorn", "httptools", "psutil", "boto3"}


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    return code.stage(tmp_path_factory.mktemp("code"))


def test_each_handler_is_imported_from_what_is_deployed_alone(staged):
    # In one process, since each would take a second: imports of one another do not hide what is missing.
    script = f"""
import importlib, sys
sys.path.insert(0, {str(staged)!r})
for name in {code.entries()!r}:
    assert callable(importlib.import_module(name).handler), name
    for each in [each for each in sys.modules if each.split(".")[0] == "parkade"]:
        assert sys.modules[each].__file__.startswith({str(staged)!r}), each
        del sys.modules[each]
"""
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_deployed_has_neither_the_command_line_nor_the_cdk_application(staged):
    assert not (staged / "parkade" / "infra").exists()
    assert not (staged / "parkade" / "apps" / "supervisor.py").exists()
    assert (staged / "parkade" / "apps" / "lambdas" / "packaged" / "roles.json").is_file()


def test_every_library_that_is_imported_is_in_the_layer(staged):
    imported = {
        name.split(".")[0]
        for path in staged.rglob("*.py")
        for name in code.imported(path)
    }  # fmt: skip
    outside = imported - set(sys.stdlib_module_names) - {code.PACKAGE} - _ELSEWHERE
    needed = {_DISTRIBUTIONS.get(name, name) for name in outside}
    assert needed <= set(layers.LIBRARIES), needed - set(layers.LIBRARIES)


def test_modules_that_are_imported_inside_functions_are_reached_and_those_for_types_are_not(
    tmp_path,
):
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import for_types\nelse:\n    import at_run\n"
        "def f():\n    from package import member\n"
    )
    found = set(code.imported(module))
    assert "for_types" not in found
    assert {"at_run", "package", "package.member"} <= found


def test_two_copies_are_the_same_to_the_byte(staged, tmp_path):
    again = code.stage(tmp_path)
    told = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (staged, again)
    ]
    assert told[0] == told[1]


def test_every_function_of_a_template_has_a_handler_in_the_code_that_it_is_deployed_with():
    assembly = synthesized()
    found = 0
    for title in (Title.METER, Title.API):
        for function in assembly.resources(title, "AWS::Lambda::Function").values():
            told = function["Properties"]
            handler = told.get("Handler", "")
            if not handler.startswith(code.ENTRIES):
                continue
            found += 1
            key = told["Code"]["S3Key"]
            folder = assembly.folder / f"asset.{Path(key).stem}"
            module, _, name = handler.rpartition(".")
            assert name == "handler"
            assert (folder / Path(*module.split(".")).with_suffix(".py")).is_file(), handler
    assert found >= 8


def test_a_layer_without_its_libraries_is_another_one():
    assert layers.fingerprint(bundles=True) != layers.fingerprint(bundles=False)


def test_another_version_of_what_a_library_needs_is_another_layer(monkeypatch):
    """What was mended in starlette has to be deployed, although nobody names it."""
    former, version = layers.fingerprint(bundles=True), metadata.Distribution.version.fget

    def another(of):
        return "99" if of.metadata["Name"] == "starlette" else version(of)

    monkeypatch.setattr(metadata.Distribution, "version", property(another))
    assert layers.fingerprint(bundles=True) != former


def test_a_layer_is_made_once(tmp_path):
    folder = layers.stage(tmp_path, bundles=False)
    (folder / "mark").touch()
    assert (layers.stage(tmp_path, bundles=False) / "mark").exists()


def test_names_that_the_deployment_alone_knows_count_in_an_environment():
    import aws_cdk as cdk

    from parkade.infra.constructs.functions import variables

    stack = SimpleNamespace(estate=estate())
    names = {f"PARKADE_{number}": cdk.Token.as_string({"Ref": "Table"}) for number in range(8)}
    assert variables(stack, "Sweep", {**names, "PARKADE_ROUTES": "x" * 2000})
    with pytest.raises(InvalidInput, match="the environment of function Sweep has"):
        variables(stack, "Sweep", {**names, "PARKADE_ROUTES": "x" * 2900})
