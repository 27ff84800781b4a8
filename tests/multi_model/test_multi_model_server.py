"""awslabs multi-model-server as a container of one's own: many models, for real."""

import os
import shutil
import signal

import pytest

from tests.house import ROOT, house, wait_for
from tests.multi_model.account import Many, packed

pytestmark = [
    pytest.mark.multi_model_server,
    pytest.mark.semantics("multi.mms"),
    pytest.mark.timeout(300),
]

PYTHON = ROOT / ".venv-multi-model-server" / "bin" / "python"
#: So many models fit: one that finds no seat left says that memory is short.
ROOM = 2

#: It takes the port from the environment, as SageMaker's own setting of it does.
CONFIG = """\
model_store=/
inference_address=http://127.0.0.1:$$SAGEMAKER_BIND_TO_PORT$$
management_address=http://127.0.0.1:$$SAGEMAKER_BIND_TO_PORT$$
default_workers_per_model=1
preload_model=false
"""

HANDLER = """\
import fcntl, json, os

factor = seat = None

def sit(path):
    global seat
    seat = open(path, "w")
    try:
        fcntl.flock(seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

def handle(data, context):
    global factor
    if data is None:
        seats = range(int(os.environ["ROOM"]))
        if not any(sit(os.path.join(os.environ["ROOM_FOLDER"], str(each))) for each in seats):
            raise MemoryError
        with open(os.path.join(context.system_properties["model_dir"], "factor.json")) as file:
            factor = json.load(file)
        return None
    answers = []
    for row in data:
        body = row["body"]
        asked = json.loads(body) if isinstance(body, (bytes, bytearray)) else body
        answers.append({"y": asked["x"] * factor, "pid": os.getpid()})
    return answers
"""
MANIFEST = '{"runtime": "python", "model": {"modelName": "m", "handler": "handler:handle"}}'


def archive(factor):
    """A model as multi-model-server wants one, without its archiver."""
    return packed(
        handler_py=HANDLER, factor_json=str(factor), **{"MAR-INF__MANIFEST_json": MANIFEST}
    )


def settings(folder):
    """A server.yaml in which images named `mms` are played by multi-model-server."""
    (folder / "mms.properties").write_text(CONFIG)
    packages = next((PYTHON.parent.parent / "lib").glob("python3*/site-packages"))
    words = [
        *("java", "-Xmx256m", f"-Dmodel_server_home={packages}"),
        *("-cp", f"{packages}/mms/frontend/*", "com.amazonaws.ml.mms.ModelServer"),
        *("--python", str(PYTHON), "-f", str(folder / "mms.properties")),
    ]
    lines = ["images:", "  mms:", "    command:", *(f"      - {word!r}" for word in words)]
    (folder / "server.yaml").write_text("\n".join([*lines, "multi_model:", "  removed_seconds: 1"]))
    return folder / "server.yaml"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    if not PYTHON.exists() or shutil.which("java") is None:
        pytest.fail("multi-model-server is not installed; run: make test-multi-model-server")
    folder = tmp_path_factory.mktemp("mms")
    room = folder / "room"
    room.mkdir()
    with house(folder / "state", "--config", str(settings(folder))) as built:
        built_many = Many(
            built, image="mms", environment={"ROOM_FOLDER": str(room), "ROOM": str(ROOM)}
        )
        for factor in range(5):
            built_many.put(f"{factor}.tar.gz", archive(factor))
        yield built_many


def test_models_are_loaded_as_they_are_asked_for(many):
    assert many.ok("2.tar.gz", x=4)["y"] == 8
    assert many.ok("3.tar.gz", x=4)["y"] == 12
    first = many.ok("2.tar.gz", x=1)["pid"]
    assert many.ok("2.tar.gz", x=1)["pid"] == first
    assert sorted(many.loaded()) == ["2.tar.gz", "3.tar.gz"]


def test_a_missing_model_is_a_validation_error(many):
    name, error = many.refused("9.tar.gz")
    assert name == "ValidationError"
    assert "'many/9.tar.gz' in bucket 'models'" in error["Error"]["Message"]


def test_507_makes_the_model_give_way_that_was_unused_for_longest(many):
    for target in ("2.tar.gz", "3.tar.gz", "2.tar.gz"):
        many.ok(target)
    assert many.ok("4.tar.gz", x=2)["y"] == 8
    assert sorted(many.loaded()) == ["2.tar.gz", "4.tar.gz"]
    assert many.ok("3.tar.gz", x=2)["y"] == 6


def test_what_a_model_fails_with_is_a_model_error(many):
    name, error = many.refused("4.tar.gz", z=1)
    assert name == "ModelError"
    assert error["OriginalStatusCode"] == 503


def test_a_deleted_object_is_unloaded(many):
    many.ok("4.tar.gz")
    many.delete("4.tar.gz")
    wait_for(lambda: "4.tar.gz" not in many.loaded(), why="4.tar.gz to be unloaded")
    assert many.refused("4.tar.gz")[0] == "ValidationError"


def test_control_that_comes_back_finds_what_is_loaded(many):
    pid = many.ok("2.tar.gz")["pid"]
    former = many.house.kill("control")
    assert many.ok("2.tar.gz")["pid"] == pid
    many.house.wait_reborn("control", former)
    assert many.ok("1.tar.gz", x=7)["y"] == 7
    wait_for(lambda: "1.tar.gz" in many.loaded(), why="1.tar.gz to be shown")


def test_a_server_that_dies_comes_back_without_models_and_loads_them_again(many):
    former = many.ok("2.tar.gz")["pid"]
    (worker,) = many.house.ok("GET", "/v1/endpoints/many").json()["instances"]
    os.kill(worker["pid"], signal.SIGKILL)
    wait_for(lambda: many.ask("2.tar.gz")[0] == 200, why="the server to be back")
    assert many.ok("2.tar.gz")["pid"] != former
