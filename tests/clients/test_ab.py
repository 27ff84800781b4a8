"""Variants of a running endpoint side by side, and a model's cases against each of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.clients.account import IMAGE, Account, account, variant
from tests.clients.comparisons import (
    SETTINGS,
    a_folder,
    ask,
    captured,
    cli,
    furnish,
    told,
    wait_captured,
)
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Endpoint ab with variants a and b, and endpoint shaded with b as the shadow of a.

    Asked were a ten times and b three times, which failed twice; and shaded from 1 to 20.
    """
    folder = tmp_path_factory.mktemp("ab")
    with account(folder, SETTINGS) as built:
        for name in ("a", "b"):
            built.model(name, a_folder(folder / name, name))
        furnish(built, "ab")
        furnish(built, "shaded", shadow=True)
        # What is measured is told a while later: all is asked before it is waited for.
        for n in range(10):
            ask(built, "ab", n, TargetVariant="a")
        for _ in range(2):
            with pytest.raises(built.runtime.exceptions.ModelError):
                ask(built, "ab", 13, TargetVariant="b")
        ask(built, "ab", 1, TargetVariant="b")
        for n in range(1, 21):
            ask(built, "shaded", n)
        yield built


def seen(boto: Account, name: str, requests: int, *options: str) -> Any:
    """Return the experiment once so many requests to all variants were told."""

    def look() -> Any:
        found = told(boto, "ab", name, *options)
        return sum(each["requests"] for each in found["variants"]) >= requests and found

    return wait_for(look, why=f"{requests} requests of {name} to be measured")


def test_errors_of_one_variant_are_its_own(boto: Account) -> None:
    found = seen(boto, "ab", 13)
    a, b = found["variants"]
    assert (a["requests"], a["errors"], a["share_wanted"]) == (10, 0, 0.5)
    assert (b["requests"], b["errors"], b["errors_5xx"]) == (3, 2, 2)
    assert b["share"] == pytest.approx(3 / 13)
    assert a["latency"][0]["low"] <= a["latency"][0]["seconds"] <= a["latency"][0]["high"]
    # Of ten, nothing is sure to be above the 99th percentile.
    assert a["latency"][2]["high"] is None
    (compared,) = found["comparisons"]
    assert compared["finding"] == "not_enough"
    shown = cli(boto, "ab", "ab").stdout
    assert "b beside a: not enough requests yet: about" in shown
    assert "66.67%" in shown


def test_a_shadows_answers_are_compared_pair_by_pair(boto: Account) -> None:
    wait_captured(boto, "shaded", "a", 20)
    # The shadow fails at 13.
    wait_captured(boto, "shaded", "b", 19)
    options = ("--ignore", "$.model", "--tolerance", "0.001")
    found = seen(boto, "shaded", 40, *options)
    assert [each["shadow"] for each in found["variants"]] == [False, True]
    (agreement,) = found["agreement"]
    # 5, 10, 15 and 20 have another label.
    assert (agreement["pairs"], agreement["agree"], agreement["unpaired"]) == (19, 15, 1)
    assert agreement["share"]["value"] == pytest.approx(15 / 19)
    strict = told(boto, "ab", "shaded")["agreement"][0]
    assert (strict["pairs"], strict["agree"]) == (19, 0)
    shown = cli(boto, "ab", "shaded", *options).stdout
    assert "b answers as a: 78.95%" in shown


def write_cases(folder: Path, *cases: dict[str, Any]) -> Path:
    (folder / "test").mkdir(parents=True)
    (folder / "test" / "input_data.json").write_text(json.dumps(cases))
    return folder


def a_case(n: int, label: int, **changes: Any) -> dict[str, Any]:
    expected = {"label": label, "p": n / 100}
    return {"id": f"n{n}", "input": {"n": n}, "expected": expected, "ignore": ["model"]} | changes


def test_the_cases_of_a_model_are_asked_of_each_variant(boto: Account, tmp_path: Path) -> None:
    before = len(captured(boto, "ab", "a"))
    folder = write_cases(tmp_path / "m", a_case(4, 1, tolerance=0.01), a_case(5, 2, tolerance=0.01))
    result = cli(boto, "model", "test", str(folder), "--endpoint", "ab")
    assert result.exit_code == 1
    assert result.stderr == "error: 1 of 4 answers differ: n5 at b\n"
    assert "$.label: 2 -> 3" in result.stdout
    alone = told(boto, "model", "test", str(folder), "--endpoint", "ab", "--variant", "a")
    assert [(each["case"], each["variant"], each["passed"]) for each in alone] == [
        ("n4", "a", True),
        ("n5", "a", True),
    ]
    assert all(each["seconds"] > 0 for each in alone)
    # Nothing of it was captured.
    ask(boto, "ab", 1, TargetVariant="a", InferenceId="last")
    wait_for(
        lambda: any(
            each["eventMetadata"].get("inferenceId") == "last"
            for each in captured(boto, "ab", "a")[before:]
        )
    )
    ids = [each["eventMetadata"].get("inferenceId", "") for each in captured(boto, "ab", "a")]
    assert not [each for each in ids if each.startswith("parkade-")]


def test_a_shadow_is_not_asked_and_an_unknown_variant_is_named(
    boto: Account, tmp_path: Path
) -> None:
    folder = write_cases(tmp_path / "m", a_case(4, 1))
    asked = told(boto, "model", "test", str(folder), "--endpoint", "shaded")
    assert [each["variant"] for each in asked] == ["a"]
    result = cli(boto, "model", "test", str(folder), "--endpoint", "ab", "--variant", "c")
    assert "endpoint 'ab' has no variant 'c'" in result.stderr
    assert "it has a, b" in result.stderr


def test_the_cases_are_asked_of_inference_components(boto: Account, tmp_path: Path) -> None:
    boto.config("parts", variant("host", None))
    boto.endpoint("parts", "parts")
    compute = {"NumberOfCpuCoresRequired": 0.25, "MinMemoryRequiredInMb": 128}
    for name in ("a", "b"):
        boto.sagemaker.create_inference_component(
            InferenceComponentName=f"part-{name}",
            EndpointName="parts",
            VariantName="host",
            Specification={"ModelName": name, "ComputeResourceRequirements": compute},
            RuntimeConfig={"CopyCount": 1},
        )
    for name in ("a", "b"):
        wait_for(
            lambda name=name: (
                boto.sagemaker.describe_inference_component(InferenceComponentName=f"part-{name}")[
                    "InferenceComponentStatus"
                ]
                == "InService"
            ),
            why=f"part-{name} to be in service",
        )
    folder = write_cases(tmp_path / "m", a_case(5, 2, fields=["label"]))
    result = cli(boto, "model", "test", str(folder), "--endpoint", "parts", "--json")
    asked = json.loads(result.stdout)
    assert [(each["component"], each["variant"], each["passed"]) for each in asked] == [
        ("part-a", None, True),
        ("part-b", None, False),
    ]
    assert result.stderr == "error: 1 of 2 answers differ: n5 at part-b\n"


def test_the_cases_are_asked_of_one_model_of_many(boto: Account, tmp_path: Path) -> None:
    for name in ("a", "b"):
        content = (boto.house.state.parent / f"{name}.tar.gz").read_bytes()
        boto.house.ok("PUT", f"/v1/objects/models/many/{name}.tar.gz", content=content)
    boto.sagemaker.create_model(
        ModelName="many",
        ExecutionRoleArn="arn:aws:iam::000000000000:role/many",
        PrimaryContainer={
            "Image": IMAGE,
            "Mode": "MultiModel",
            "ModelDataUrl": "s3://models/many/",
        },
    )
    boto.config("many", variant("all", "many"))
    boto.endpoint("many", "many")
    folder = write_cases(tmp_path / "m", a_case(5, 2, fields=["label"]))
    for target, passed in (("a.tar.gz", True), ("b.tar.gz", False)):
        arguments = ("--endpoint", "many", "--target-model", target, "--json")
        (asked,) = json.loads(cli(boto, "model", "test", str(folder), *arguments).stdout)
        assert (asked["target_model"], asked["variant"], asked["passed"]) == (target, "all", passed)
