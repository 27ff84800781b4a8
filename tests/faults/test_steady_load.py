"""What changes under a steady load of 200 requests a second, and loses none of them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.clients.account import Account, account, variant
from tests.faults.load import steady
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = count()

SAYING = """
import json

def model_fn(folder):
    {load}

def transform_fn(model, body, content_type, accept):
    {act}
    return json.dumps({{"word": "{word}", "n": json.loads(body)["n"]}})
"""


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A house with the models `old`, `new`, and some that are no good."""
    folder = tmp_path_factory.mktemp("load")
    with account(folder) as built:
        saying(built, folder, "old")
        saying(built, folder, "new")
        saying(built, folder, "gated", load=_wait_for(folder / "gate"), word="new")
        saying(built, folder, "dying", act="__import__('os')._exit(3)")
        broken = folder / "broken"
        (broken / "code").mkdir(parents=True)
        (broken / "code" / "inference.py").write_text("def f():\n    return 1 / 0\n\nf()\n")
        built.model("broken", broken)
        for name in ("old", "new", "gated", "broken"):
            built.config(name, variant(model=name))
        built.config("two", variant(model="old", InitialInstanceCount=2))
        yield built


def saying(
    built: Account,
    folder: Path,
    name: str,
    *,
    load: str = "pass",
    act: str = "pass",
    word: str = "",
) -> None:
    code = folder / name / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(SAYING.format(load=load, act=act, word=word or name))
    built.model(name, folder / name)


def _wait_for(gate: Path) -> str:
    return f"while not __import__('os').path.exists({str(gate)!r}): __import__('time').sleep(0.02)"


@pytest.fixture
def name(boto: Account) -> Iterator[str]:
    """The name of an endpoint of the test's own, of which nothing is left afterwards."""
    name = f"e-{next(_numbers)}"
    yield name
    boto.delete(name)
    wait_for(lambda: not boto.house.workers(), why="its workers to go")


def workers(boto: Account) -> set[int]:
    return {process.pid for process in boto.house.workers()}


def scale(boto: Account, name: str, instances: int) -> None:
    change(boto, name, VariantName="AllTraffic", DesiredInstanceCount=instances)


def change(boto: Account, name: str, *wanted: dict[str, object], **members: object) -> None:
    boto.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[*wanted, *([members] if members else [])]
    )
    boto.wait(name)


def test_an_update_switches_from_one_fleet_to_the_next(boto: Account, name: str) -> None:
    boto.endpoint(name, "old")
    with steady(boto.house, name) as load:
        boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="new")
        boto.wait(name)
    assert load.switches("old", "new")
    wait_for(lambda: len(workers(boto)) == 1)


def test_an_update_that_fails_leaves_the_old_fleet_and_says_why(boto: Account, name: str) -> None:
    boto.endpoint(name, "old")
    before = workers(boto)
    with steady(boto.house, name) as load:
        boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="broken")
        described = boto.wait(name)
    assert described["EndpointConfigName"] == "old"
    assert described["FailureReason"].endswith("ZeroDivisionError: division by zero")
    assert "return 1 / 0" in described["FailureReason"]
    assert set(load.words()) == {"old"}
    wait_for(lambda: workers(boto) == before)


def test_weights_alone_change_at_once(boto: Account, name: str) -> None:
    boto.config(
        f"{name}-pair",
        variant("left", "old", InitialVariantWeight=1),
        variant("right", "new", InitialVariantWeight=0),
    )
    boto.endpoint(name, f"{name}-pair")
    before = workers(boto)
    weights = [
        {"VariantName": "left", "DesiredWeight": 0.0},
        {"VariantName": "right", "DesiredWeight": 1.0},
    ]
    with steady(boto.house, name) as load:
        change(boto, name, *weights)
    assert load.switches("old", "new")
    assert workers(boto) == before


def test_instances_come_and_go(boto: Account, name: str) -> None:
    boto.endpoint(name, "old")
    with steady(boto.house, name) as load:
        for wanted in (4, 2):
            scale(boto, name, wanted)
            wait_for(lambda: len(workers(boto)) == wanted)  # noqa: B023  it waits here
            load.go_on(0.5)


def test_a_worker_is_killed(boto: Account, name: str) -> None:
    boto.endpoint(name, "two")
    before = boto.house.workers()
    with steady(boto.house, name) as load:
        before[0].kill()
        wait_for(lambda: boto.house.events(kind="worker.restarted", endpoint=name))
        load.go_on(0.5)
        before[1].kill()
        wait_for(lambda: len(boto.house.events(kind="worker.restarted", endpoint=name)) == 2)


@pytest.mark.parametrize("moment", ["rising", "switched"])
def test_control_is_killed_in_an_update_and_goes_on_with_it(
    boto: Account, name: str, moment: str
) -> None:
    gate = boto.house.state.parent / "gate"
    boto.endpoint(name, "two")
    with steady(boto.house, name) as load:
        boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="gated")
        wait_for(lambda: len(workers(boto)) == 3, why="the new fleet to rise")
        if moment == "switched":
            gate.touch()
            wait_for(lambda: load.answered("new"))
        former = boto.house.kill("control")
        gate.touch()
        boto.house.wait_reborn("control", former)
        assert boto.wait(name)["EndpointConfigName"] == "gated"
    gate.unlink()
    assert load.switches("old", "new")
    wait_for(lambda: len(workers(boto)) == 1)


def test_a_shadow_variant_dies_of_every_request(boto: Account, name: str) -> None:
    boto.config(
        f"{name}-shadowed",
        variant("production", "old"),
        ShadowProductionVariants=[variant("shade", "dying")],
    )
    boto.endpoint(name, f"{name}-shadowed")
    with steady(boto.house, name) as load:
        wait_for(lambda: len(boto.house.events(kind="worker.died", endpoint=name)) >= 3)
    assert set(load.words()) == {"old"}


@pytest.fixture
def components(boto: Account, name: str) -> Iterator[tuple[str, str]]:
    """Two inference components of model `old`."""
    boto.config(f"{name}-host", variant(model=None))
    boto.endpoint(name, f"{name}-host")
    made = (f"{name}-one", f"{name}-two")
    for each in made:
        boto.sagemaker.create_inference_component(
            InferenceComponentName=each,
            EndpointName=name,
            VariantName="AllTraffic",
            Specification={"ModelName": "old"},
            RuntimeConfig={"CopyCount": 1},
        )
        in_service(boto, each)
    yield made
    for each in boto.sagemaker.list_inference_components()["InferenceComponents"]:
        boto.sagemaker.delete_inference_component(
            InferenceComponentName=each["InferenceComponentName"]
        )


def in_service(boto: Account, component: str) -> None:
    def there() -> bool:
        found = boto.sagemaker.describe_inference_component(InferenceComponentName=component)
        return bool(found["InferenceComponentStatus"] == "InService")

    wait_for(there, why=f"{component} to be InService")


def test_an_inference_component_is_scaled_and_updated_and_its_sibling_deleted(
    boto: Account, name: str, components: tuple[str, str]
) -> None:
    one, two = components
    with steady(boto.house, name, {"X-Amzn-SageMaker-Inference-Component": one}) as load:
        for copies in (3, 1):
            boto.sagemaker.update_inference_component_runtime_config(
                InferenceComponentName=one, DesiredRuntimeConfig={"CopyCount": copies}
            )
            in_service(boto, one)
            load.go_on(0.5)
        boto.sagemaker.delete_inference_component(InferenceComponentName=two)
        wait_for(lambda: len(workers(boto)) == 1, why="the sibling to go")
        boto.sagemaker.update_inference_component(
            InferenceComponentName=one, Specification={"ModelName": "new"}
        )
        in_service(boto, one)
    assert load.switches("old", "new")
