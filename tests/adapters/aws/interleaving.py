"""Processes that share a table, interleaved request by request as a test says, and killed.

Each runs in a thread of its own, with a client of its own that stops before every request until it
is told to go on; only one goes at a time. So an order of requests is a list of numbers, which
Hypothesis draws, and which fails again in the same way.
"""

import threading
from enum import Enum

from hypothesis import strategies as st

from parkade.adapters.aws.dynamodb.table import Table

#: Seconds after which a test is broken rather than slow.
_PATIENCE = 60


class Fate(Enum):
    """What becomes of a process at a request."""

    ON = "goes on"
    BEFORE = "dies before the request is made"
    AFTER = "dies when it was made, and never hears the answer"


def choices(size=60):
    """Draw the turns that processes take, and now and then a death."""
    fates = st.sampled_from([*[Fate.ON] * 18, Fate.BEFORE, Fate.AFTER])
    return st.lists(st.tuples(st.integers(0, 5), fates), max_size=size)


class _Killed(BaseException):
    """Ends a process; nothing in it may catch this."""


class Process:
    """One process: `work` is given a table of its own."""

    def __init__(self, work, account, table, *, mortal=True):
        self._work = work
        self._go = threading.Event()
        self._paused = threading.Event()
        self._fate = Fate.ON
        self.mortal = mortal
        self.over = False
        self.died = False
        #: The request that it is about to make.
        self.asks = ""
        self.error = None
        own = Table(_Account(self, account), table.name, table.shape)
        self._thread = threading.Thread(target=self._run, args=(own,), daemon=True)

    def start(self):
        """Run up to the first request."""
        self._thread.start()
        self._wait()

    def step(self, fate):
        """Make one request, and run up to the next."""
        self._fate = fate if self.mortal else Fate.ON
        self._paused.clear()
        self._go.set()
        self._wait()

    def until(self, operation):
        """Run up to the first request of this kind."""
        while self.asks != operation:
            assert not self.over
            self.step(Fate.ON)

    def request(self, operation, send):
        """Stop, then make the request."""
        self.asks = operation
        self._paused.set()
        assert self._go.wait(_PATIENCE)
        self._go.clear()
        if self._fate is Fate.BEFORE:
            raise _Killed
        answer = send()
        if self._fate is Fate.AFTER:
            raise _Killed
        return answer

    def _wait(self):
        assert self._paused.wait(_PATIENCE), "a process neither asked nor ended"

    def _run(self, table):
        try:
            self._work(table)
        except _Killed:
            self.died = True
        except BaseException as error:  # noqa: BLE001  raised by `interleave`
            self.error = error
        finally:
            self.over = True
            self._paused.set()


class _Account:
    def __init__(self, process, account):
        self._process = process
        self._account = account
        self.region = account.region

    def client(self, service):
        return _Client(self._process, self._account.client(service))


class _Client:
    def __init__(self, process, client):
        self._process = process
        self._client = client

    def __getattr__(self, operation):
        send = getattr(self._client, operation)
        return lambda **request: self._process.request(operation, lambda: send(**request))


def interleave(processes, choices):
    """Run all processes to their ends: each choice is whose turn it is, and what becomes of it.

    When all choices are made, they take turns. Raises what a process raised.
    """
    for process in processes:
        if not process.asks:
            process.start()
    turn = 0
    for number, fate in choices:
        if alive := [each for each in processes if not each.over]:
            alive[number % len(alive)].step(fate)
    while alive := [each for each in processes if not each.over]:
        alive[turn % len(alive)].step(Fate.ON)
        turn += 1
    for process in processes:
        if process.error is not None:
            raise process.error
