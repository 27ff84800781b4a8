"""Many models in our own container, through everything: boto3, gateway, control, workers."""

import os
import signal
import threading

import pytest

from tests.house import PATIENCE, house, wait_for
from tests.multi_model.account import Many, packed

pytestmark = pytest.mark.timeout(240)

SCRIPT = """\
import json, os, time

def model_fn(model_dir):
    with open(os.path.join(model_dir, "text")) as file:
        words = json.load(file)
    if words.get("crash"):
        raise RuntimeError("the weights are gone")
    return words, bytearray(os.urandom(words.get("megabytes", 0) * 2**20))

def transform_fn(model, body, content_type, accept):
    words, _ = model
    asked = json.loads(body)
    time.sleep(asked.get("sleep", 0))
    if asked.get("missing"):
        raise ValueError("nothing is known of it")
    return json.dumps({"name": words["name"], "pid": os.getpid()}), "application/json"
"""
#: A house where what was removed is gone soon.
SETTINGS = "multi_model:\n  removed_seconds: 1\nlimits:\n  grace_seconds: 2\n"


def archive(name, **words):
    pairs = "".join(f', "{key}": {str(value).lower()}' for key, value in words.items())
    return packed(code__inference_py=SCRIPT, text=f'{{"name": "{name}"{pairs}}}')


def a_house(folder):
    (folder / "server.yaml").write_text(SETTINGS)
    return house(folder / "state", "--config", str(folder / "server.yaml"))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """One endpoint of two instances, and models `a` to `e`."""
    with a_house(tmp_path_factory.mktemp("many")) as built:
        made = Many(built, image="sagemaker-scikit-learn", instances=2)
        for name in "abcde":
            made.put(f"{name}.tar.gz", archive(name))
        yield made


class Steady:
    """Somebody who asks for a model again and again, until the end of the context."""

    def __init__(self, many, target):
        self.many, self.target = many, target
        self.names, self.failures = set(), []
        self.count = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def _ask(self):
        while not self._over.is_set():
            status, answer = self.many.ask(self.target)
            self.count += 1
            if status == 200:
                self.names.add(answer["name"])
            else:
                self.failures.append(answer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(PATIENCE)


@pytest.mark.semantics("multi.placement", "metrics.multi")
def test_the_first_request_loads_a_model_and_later_ones_find_it(many):
    pids = {many.ok("a.tar.gz")["pid"] for _ in range(5)}
    assert len(pids) == 1
    (model,) = [each for each in many.models()["models"] if each["target"] == "a.tar.gz"]
    assert (model["metrics"]["loads"], len(model["loaded"])) == (1, 1)
    wait_for(
        lambda: (
            [
                each["metrics"]["invocations"]
                for each in many.models()["models"]
                if each["target"] == "a.tar.gz"
            ]
            == [5]
        ),
        why="five invocations to be counted",
    )
    (model,) = [each for each in many.models()["models"] if each["target"] == "a.tar.gz"]
    assert model["metrics"]["hit_ratio"] == 0.8


def test_all_who_ask_for_a_cold_model_at_a_time_load_it_once(many):
    answers = many.ask_all(["b.tar.gz"] * 12)
    assert {status for status, _ in answers} == {200}
    (model,) = [each for each in many.models()["models"] if each["target"] == "b.tar.gz"]
    assert model["metrics"]["loads"] <= 2, "one for each instance at most"


def test_a_request_that_names_no_model_is_refused(many):
    answer = many.house.call("POST", "/endpoints/many/invocations", json={})
    assert answer.status_code == 400
    assert "TargetModel" in answer.json()["Message"]


@pytest.mark.semantics("multi.path")
@pytest.mark.parametrize("target", ["none.tar.gz", "x/none.tar.gz"])
def test_a_missing_object_is_a_validation_error_that_names_its_key(many, target):
    name, error = many.refused(target)
    assert name == "ValidationError"
    assert f"key 'many/{target}' in bucket 'models'" in error["Error"]["Message"]


def test_a_script_that_crashes_is_a_model_error_with_its_reason(many):
    many.put("bad.tar.gz", archive("bad", crash=True))
    name, error = many.refused("bad.tar.gz")
    assert name == "ModelError"
    assert "the weights are gone" in error["OriginalMessage"]
    assert many.ok("a.tar.gz")["name"] == "a"


def test_an_archive_that_is_none_is_a_validation_error(many):
    many.put("torn.tar.gz", b"no archive")
    name, error = many.refused("torn.tar.gz")
    assert name == "ValidationError"
    assert "cannot be unpacked" in error["Error"]["Message"]


def test_what_a_model_answers_badly_is_its_own_error(many):
    name, error = many.refused("a.tar.gz", missing=True)
    assert name == "ModelError"
    assert "nothing is known of it" in error["OriginalMessage"]
    assert "a.tar.gz" in many.loaded()


@pytest.mark.semantics("multi.spread")
def test_a_busy_model_spreads_to_the_other_instance(many):
    answers = many.ask_all(["c.tar.gz"] * 16, sleep=0.2)
    assert {status for status, _ in answers} == {200}
    wait_for(lambda: len(many.loaded()["c.tar.gz"]) == 2, why="both instances to have it")


def test_a_replaced_object_is_taken_up_without_a_failure(many):
    many.put("new.tar.gz", archive("former"))
    with Steady(many, "new.tar.gz") as steady:
        wait_for(lambda: "former" in steady.names, why="the former model to answer")
        many.put("new.tar.gz", archive("present"))
        wait_for(lambda: "present" in steady.names, why="the present model to answer")
    assert steady.failures == []


@pytest.mark.semantics("multi.remove")
def test_a_deleted_object_goes_from_the_instances(many):
    many.put("gone.tar.gz", archive("gone"))
    many.ok("gone.tar.gz")
    many.delete("gone.tar.gz")
    wait_for(lambda: "gone.tar.gz" not in many.loaded(), why="its copies to go")
    assert many.refused("gone.tar.gz")[0] == "ValidationError"


def test_killing_control_fails_no_invocation_and_a_cold_one_waits_for_it(many):
    many.ok("a.tar.gz")
    with Steady(many, "a.tar.gz") as steady:
        former = many.house.kill("control")
        before = steady.count
        assert many.ok("d.tar.gz")["name"] == "d"
        many.house.wait_reborn("control", former)
        wait_for(lambda: steady.count > before + 20, why="requests to go on")
    assert steady.failures == []
    wait_for(lambda: {"a.tar.gz", "d.tar.gz"} <= many.loaded().keys(), why="both to be shown")


def test_killing_a_worker_fails_no_invocation(many):
    pid = many.ok("e.tar.gz")["pid"]
    with Steady(many, "e.tar.gz") as steady:
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: steady.count > 20, why="requests to go on")
    assert steady.failures == []


def test_a_pin_preloads_and_outlives_a_worker(many):
    many.put("kept.tar.gz", archive("kept"))
    many.house.ok("PUT", "/v1/endpoints/many/models/kept.tar.gz", json={"pinned": True})
    wait_for(lambda: "kept.tar.gz" in many.loaded(), why="it to be loaded")
    os.kill(many.ok("kept.tar.gz")["pid"], signal.SIGKILL)
    wait_for(lambda: "kept.tar.gz" in many.loaded(), why="it to be loaded again")


@pytest.mark.semantics("multi.pressure")
def test_where_memory_is_short_models_give_way_and_none_fails(tmp_path):
    with a_house(tmp_path) as built:
        many = Many(
            built,
            image="sagemaker-scikit-learn",
            environment={"PARKADE_MODELS_MEMORY_MB": "120"},
        )
        for number in range(8):
            many.put(f"{number}.tar.gz", archive(str(number), megabytes=20))
        for _ in range(2):
            for number in range(8):
                assert many.ok(f"{number}.tar.gz")["name"] == str(number)
        loaded = many.loaded()
        assert 2 <= len(loaded) <= 6
        # What was asked for last is there, what was asked for first has made room.
        assert "7.tar.gz" in loaded
        assert "0.tar.gz" not in loaded


@pytest.mark.semantics("multi.cache_disabled")
def test_a_model_that_is_not_to_stay_goes_after_its_call(tmp_path):
    with a_house(tmp_path) as built:
        many = Many(built, image="sagemaker-scikit-learn", cache="Disabled")
        many.put("a.tar.gz", archive("a"))
        for _ in range(2):
            assert many.ok("a.tar.gz")["name"] == "a"
            wait_for(lambda: not many.loaded(), why="it to be unloaded")
        (model,) = many.models()["models"]
        assert model["metrics"]["loads"] == 2
        assert {status for status, _ in many.ask_all(["a.tar.gz"] * 8)} == {200}
