"""`parkade demo` as a person runs it: a real server, a real model, real signals."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading

import httpx
import psutil
import pytest

from parkade.apps.cli import child, demo
from parkade.apps.statefolder import StatePaths
from tests.house import PATIENCE, free_port, wait_for

#: A demo trains a model and starts a whole server; what is waited for has limits of its own.
pytestmark = pytest.mark.timeout(300)

SENTENCE = "Stock markets fell on Monday."


class Demo:
    """One run of the demo."""

    def __init__(self, state):
        self.state = state
        self.lines = []
        command = [sys.executable, "-m", "parkade.apps.cli", "demo", "--minutes", "3"]
        self.process = subprocess.Popen(
            [*command, "--state", str(state), "--port", str(free_port())],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout))
        self.reader.start()

    def __enter__(self):
        try:
            wait_for(self.shown, limit=90, why="the demo's meter")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self.process.kill() if error and error[0] else self.process.terminate()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdout.close()
        for process in self.processes():
            process.kill()

    @property
    def text(self):
        return "".join(self.lines)

    def shown(self):
        assert self.process.poll() is None, self.text
        return re.search(r"^text: running", self.text, re.MULTILINE)

    def processes(self):
        """Return what runs on this state, but the demo itself."""
        return processes_of(self.state, but=self.process.pid)

    def curls(self):
        """Carry out the printed lines; return their answers."""
        commands = re.findall(r"^curl (?:.*\\\n)*.*$", self.text, re.MULTILINE)
        return [call(shlex.split(each.replace("\\\n", " "))) for each in commands]


def processes_of(folder, *, but):
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != but and any(str(folder) in word for word in process.info["cmdline"] or [])
    ]


def call(words):
    url, headers, data = words[1], {}, None
    for option, value in zip(words[2::2], words[3::2], strict=True):
        if option == "--header":
            name, _, text = value.partition(": ")
            headers[name] = text
        else:
            data = value
    answer = httpx.request(
        "POST" if data else "GET", url, headers=headers, content=data, timeout=PATIENCE
    )
    assert answer.is_success, answer.text
    return answer.json()


def test_the_demo_works_twice_and_leaves_nothing_behind(tmp_path):
    state = tmp_path / "state"
    tokens = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with Demo(state) as run:
            assert '"label": 2' in run.text
            by_route, by_name, left, longer = run.curls()
            assert by_route == by_name == {"success": "true", "label": 3}
            assert left["TimeLeft"] < longer["TimeLeft"]
            tokens += re.findall(r"^Token  (pk_\S+)$", run.text, re.MULTILINE)
            assert run.processes()
            run.process.send_signal(number)
            assert run.process.wait(PATIENCE) == 0
            assert run.processes() == []
    assert len(set(tokens)) == 1


def test_the_demo_stops_its_server_even_where_nobody_listens_any_more(tmp_path):
    state = tmp_path / "state"
    command = [sys.executable, "-m", "parkade.apps.cli", "demo", "--state", str(state)]
    with subprocess.Popen(
        [*command, "--port", str(free_port())],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            while not process.stdout.readline().startswith("text: running"):
                assert process.poll() is None
            process.stdout.close()
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
            assert processes_of(state, but=process.pid) == []
        finally:
            process.kill()
            for each in processes_of(state, but=process.pid):
                each.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_server_is_begun_leaves_none_behind(tmp_path, monkeypatch, number):
    begun = []

    class Interrupted(subprocess.Popen):
        def __init__(self, _command, **options):
            super().__init__([sys.executable, "-c", "import time; time.sleep(600)"], **options)
            begun.append(self)
            signal.raise_signal(number)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    paths = StatePaths(state=tmp_path / "state")
    paths.make()
    with demo._stoppable(), child.running(paths, 1):
        pytest.fail("it goes on")
    (server,) = begun
    with server:
        gone = server.poll()
        server.kill()
    assert gone == -signal.SIGTERM


def test_losing_patience_ends_an_installation(tmp_path):
    """The package index accepts and never answers; Ctrl-C must not leave pip behind."""
    folder, cache = tmp_path / "model", tmp_path / "cache"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text("")
    (folder / "test").mkdir()
    (folder / "test" / "input_data.json").write_text('[{"id": 1, "input": 2, "expected": 3}]')
    with socket.socket() as index:
        index.bind(("127.0.0.1", 0))
        index.listen()
        index.settimeout(2 * PATIENCE)  # an environment is made before it is asked
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        lines = f"--index-url {url}\nnothing-of-that-name\n"
        (folder / "code" / "requirements.txt").write_text(lines)
        with subprocess.Popen(
            [sys.executable, "-m", "parkade.apps.cli", "model", "test", str(folder)],
            env={**os.environ, "XDG_CACHE_HOME": str(cache), "HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            waiting, _ = index.accept()
            with waiting:
                assert processes_of(tmp_path, but=process.pid)
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE) == 130
    assert processes_of(tmp_path, but=process.pid) == []


def test_a_second_demo_on_the_same_state_is_told_who_is_there(tmp_path):
    with Demo(tmp_path / "state"):
        second = subprocess.run(
            [sys.executable, "-m", "parkade.apps.cli", "demo", "--state", tmp_path / "state"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert second.returncode == 1
    assert "already runs" in second.stderr.splitlines()[-1]


def test_a_taken_port_is_left_for_the_next_and_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = child.free_port(port)
    assert chosen > port
    assert f"Port {port} is taken; using {chosen}." in capsys.readouterr().err


def test_the_lines_to_try_fit_80_columns():
    card = demo.card("http://127.0.0.1:8700", "pk_" + "x" * 43)
    assert max(map(len, card.splitlines())) <= 80
