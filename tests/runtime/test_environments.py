"""Isolated environments, built for real from wheels made here; nothing is downloaded."""

import base64
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from parkade.domain.errors import StartFailed
from parkade.runtime import environments
from parkade.runtime.environments import Halt, multi_command, prepare, script_command
from tests.runtime.container.harness import a_container, model_folder

SCRIPT = """
    import json, sys, colours

    def model_fn(model_dir):
        return colours.RED

    def transform_fn(model, body, content_type, accept):
        try:
            import pydantic
            leaked = True
        except ModuleNotFoundError:
            leaked = False
        return json.dumps({"red": model, "prefix": sys.prefix, "leaked": leaked})
"""


def a_wheel(folder, *, red="#f00", name="colours"):
    """Write a tiny wheel with one module, as a build tool would."""
    files = {
        f"{name}.py": f"RED = {red!r}\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-1.0.dist-info/RECORD"
    lines = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        lines.append(f"{path},sha256={digest.decode().rstrip('=')},{len(text.encode())}\n")
    files[record] = "".join(lines) + f"{record},,\n"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            # Without a time, so that the same content is the same file.
            archive.writestr(zipfile.ZipInfo(path), text)
    return wheel


def a_model(folder, *, requirements="--no-index\n./colours-1.0-py3-none-any.whl\n"):
    model_folder(folder, SCRIPT)
    a_wheel(folder / "code")
    (folder / "code" / "requirements.txt").write_text(requirements)
    return folder


def command_for(model_dir, tmp_path, **options):
    return script_command(model_dir, cache=tmp_path / "cache", log=tmp_path / "log", **options)


def envs(tmp_path):
    return [path for path in (tmp_path / "cache" / "envs").iterdir() if path.is_dir()]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """One environment that several tests look at."""
    folder = tmp_path_factory.mktemp("built")
    model = a_model(folder / "model")
    return folder, model, command_for(model, folder)


def test_without_requirements_it_is_parkades_own_environment(tmp_path):
    command = command_for(model_folder(tmp_path / "model", SCRIPT), tmp_path)
    assert command.argv_prefix == [sys.executable, "-P", "-m", "parkade.runtime.container"]
    assert not (tmp_path / "cache").exists()


def test_a_container_serves_from_its_isolated_environment(built):
    folder, model, command = built
    with a_container(model, command=command.argv_prefix, env=command.env) as container:
        reply = container.invoke({}).json
    (env,) = envs(folder)
    assert reply == {"red": "#f00", "prefix": str(env), "leaked": False}
    assert "Successfully installed colours-1.0" in (folder / "log").read_text()


def test_what_the_model_brings_comes_before_what_parkade_lends(built):
    """The links are last on the path, so a model with its own httptools gets that one."""
    code = "import sys; print(sys.path[-1]); print(sys.path[-2])"
    python = built[2].argv_prefix[0]
    out = subprocess.run([python, "-c", code], capture_output=True, check=True, text=True)
    last, before = out.stdout.split()
    assert last.endswith("/parkade")
    assert before.endswith("/site-packages")


def test_the_same_requirements_are_installed_once(built, tmp_path):
    folder, _, command = built
    again = a_model(tmp_path / "other")
    log = tmp_path / "log"
    assert script_command(again, cache=folder / "cache", log=log) == command
    assert not log.exists()


def test_other_content_is_another_environment(built, tmp_path):
    """A wheel that is named by its path counts by its content, too."""
    folder, _, command = built
    model = a_model(tmp_path / "model")
    a_wheel(model / "code", red="#e00")
    other = script_command(model, cache=folder / "cache", log=tmp_path / "log")
    assert other.argv_prefix[0] != command.argv_prefix[0]
    with a_container(model, command=other.argv_prefix) as container:
        assert container.invoke({}).json["red"] == "#e00"


def test_a_half_built_environment_is_built_anew(tmp_path):
    model = a_model(tmp_path / "model")
    env = tmp_path / "cache" / "envs" / environments._key(model / "code" / "requirements.txt")
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "python").symlink_to(sys.executable)
    command_for(model, tmp_path)
    assert envs(tmp_path) == [env]
    assert "colours-1.0" in (tmp_path / "log").read_text()


def test_instances_that_start_together_build_it_once(tmp_path):
    model = a_model(tmp_path / "model")
    with ThreadPoolExecutor(3) as pool:
        commands = list(pool.map(lambda _: command_for(model, tmp_path), range(3)))
    assert commands[0] == commands[1] == commands[2]
    assert (tmp_path / "log").read_text().count("Successfully installed") == 1


def test_what_pip_says_last_is_the_reason(tmp_path):
    model = a_model(tmp_path / "model", requirements="--no-index\nno-such-package==9\n")
    with pytest.raises(StartFailed) as caught:
        command_for(model, tmp_path)
    message = caught.value.message
    assert message.startswith("requirements.txt could not be installed: ")
    assert "No matching distribution found for no-such-package==9" in message
    assert len(message) < 1024
    assert "no-such-package" in (tmp_path / "log").read_text()


def test_an_environment_can_be_prepared_from_a_file_anywhere(built, tmp_path):
    """The demo does this where scikit-learn is not installed."""
    requirements = built[1] / "code" / "requirements.txt"
    python = prepare(requirements, cache=built[0] / "cache", log=tmp_path / "log")
    out = subprocess.run(
        [python, "-c", "import colours; print(colours.RED)"], capture_output=True, check=True
    )
    assert out.stdout.split() == [b"#f00"]


def multi_for(tmp_path, **environment):
    cache, log = tmp_path / "cache", tmp_path / "log"
    return multi_command(tmp_path, cache=cache, log=log, environment=environment)


def invoked(command, model_dir, name, tmp_path):
    """Load a model into the container of many, and return what it answers."""
    with a_container(tmp_path, command=command.argv_prefix, env=command.env) as container:
        body = json.dumps({"model_name": name, "url": str(model_dir)})
        reply = container.ask("POST", "/models", body)
        assert reply.status == 200, reply.body
        return container.ask("POST", f"/models/{name}/invoke", "{}").json


def test_many_models_without_requirements_run_in_parkades_own_environment(tmp_path):
    command = multi_for(tmp_path, OTHER="entry")
    assert command.argv_prefix == [sys.executable, "-P", "-m", "parkade.runtime.container.multi"]
    assert not (tmp_path / "cache").exists()


def test_many_models_share_an_environment_made_from_the_endpoints_entry(tmp_path):
    wheel = a_wheel(tmp_path)
    command = multi_for(tmp_path, PARKADE_REQUIREMENTS=f"--no-index\n{wheel}\n")
    assert command.argv_prefix[1:] == ["-P", "-m", "parkade_container.multi"]
    # What a model's own file asks for is there.
    reply = invoked(command, a_model(tmp_path / "model"), "one", tmp_path)
    (env,) = envs(tmp_path)
    assert reply == {"red": "#f00", "prefix": str(env), "leaked": False}
    assert multi_for(tmp_path, PARKADE_REQUIREMENTS=f"\n--no-index\n{wheel}") == command


def test_an_entry_that_cannot_be_installed_says_why(tmp_path):
    with pytest.raises(StartFailed, match="No matching distribution found for no-such-package"):
        multi_for(tmp_path, PARKADE_REQUIREMENTS="--no-index\nno-such-package==9")


def a_model_whose_installation_waits(folder):
    """pip reads a named pipe, and hangs until somebody writes to it."""
    model = a_model(folder, requirements="--no-index\n-r pipe.txt\n")
    os.mkfifo(model / "code" / "pipe.txt")
    return model, model / "code" / "pipe.txt"


def test_a_preparation_can_be_ended_from_another_thread(tmp_path):
    model, pipe = a_model_whose_installation_waits(tmp_path / "model")
    halt = Halt()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(command_for, model, tmp_path, halt=halt)
        # Opening the pipe's other end returns when pip has opened it to read.
        with pipe.open("w"):
            halt.halt()
            with pytest.raises(StartFailed):
                future.result(60)
    with pytest.raises(StartFailed, match="was ended"):
        command_for(model, tmp_path, halt=halt)


def test_the_builder_outlives_its_parent_only_with_the_lock_held(tmp_path):
    """Killed while pip runs, nobody else builds in the same place until pip has ended."""
    _, pipe = a_model_whose_installation_waits(tmp_path / "model")
    code = f"""
        from pathlib import Path
        from parkade.runtime.environments import script_command
        folder = Path({str(tmp_path)!r})
        script_command(folder / "model", cache=folder / "cache", log=folder / "log")
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    with pipe.open("w") as end:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        (lock,) = (tmp_path / "cache" / "envs").glob("*.lock")
        with lock.open("ab") as file:
            with pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            end.write("./colours-1.0-py3-none-any.whl\n")
            end.close()
            fcntl.flock(file, fcntl.LOCK_EX)
