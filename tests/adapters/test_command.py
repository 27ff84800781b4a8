"""Events to programs that take them, refuse, hang, or are not there."""

import json
import subprocess
import sys

import psutil
import pytest

from parkade.adapters.command import program as programs
from parkade.adapters.command.program import CommandChannel
from parkade.domain.errors import Undelivered
from parkade.ports.channels import Message
from tests.builders import NOW, an_event
from tests.house import PATIENCE, wait_for

CONTENT = {"number": 7, "reason": "ü"}


def deliver(*command, patience=PATIENCE, environment=None):
    message = Message(id="evt_here_7", event=an_event(), content=CONTENT, sent_at=NOW)
    CommandChannel(command, environment or {}, patience=patience).deliver(message)


def python(tmp_path, program):
    script = tmp_path / "program.py"
    script.write_text(program)
    return sys.executable, "-I", str(script)


def refusal(act):
    with pytest.raises(Undelivered) as caught:
        act()
    assert not caught.value.final
    return caught.value.message


def test_a_program_gets_the_event_as_json_and_hardly_any_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PARKADE_TOKEN", "hush")
    out = tmp_path / "out"
    program = (
        "import json, os, sys\n"
        f"json.dump([sys.stdin.read(), dict(os.environ), os.getcwd()], open({str(out)!r}, 'w'))\n"
    )
    deliver(*python(tmp_path, program), environment={"PATH": "/bin"})
    text, environment, folder = json.loads(out.read_text())
    assert json.loads(text) == CONTENT
    assert folder == "/"
    assert {k: v for k, v in environment.items() if k != "LC_CTYPE"} == {
        "PATH": "/bin",
        "PARKADE_EVENT_ID": "evt_here_7",
        "PARKADE_EVENT_KIND": "lease.added",
        "PARKADE_ENDPOINT": "falcon",
    }


def test_a_program_that_refuses_says_why(tmp_path):
    program = "import sys\nprint('x' * 5000, flush=True)\nprint('no room', file=sys.stderr)\nsys.exit(3)\n"
    message = refusal(lambda: deliver(*python(tmp_path, program)))
    assert "ended with status 3" in message
    assert message.endswith("no room")
    assert len(message) < 800


def test_a_program_that_reads_nothing_takes_it_all_the_same():
    deliver("/bin/true")


def test_a_program_that_is_not_there_is_named():
    assert "/no/such/program cannot be run" in refusal(lambda: deliver("/no/such/program"))


def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path, monkeypatch):
    pid = tmp_path / "pid"
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('so far', flush=True)\n"
        f"open({str(pid)!r}, 'w').write(f'{{child.pid}}\\n')\n"
        "time.sleep(600)\n"
    )
    communicate = subprocess.Popen.communicate

    def once_it_hangs(process, *given, **options):
        # Its time is not to be over before it has begun, however busy the machine is.
        wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"), why="the program to hang")
        return communicate(process, *given, **options)

    monkeypatch.setattr(subprocess.Popen, "communicate", once_it_hangs)
    monkeypatch.setattr(programs, "_LEFT", PATIENCE)
    message = refusal(lambda: deliver(*python(tmp_path, program), patience=0.2))
    assert "longer than 0.2 s and was killed: so far" in message
    child = int(pid.read_text())
    wait_for(lambda: gone(child), why="the child to be gone")


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
