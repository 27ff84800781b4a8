"""A worker that is started before its model is known: it imports, waits, and is given one.

It runs in the environment that the worker is to have, but for the few variables that only the model
decides. Room for those is reserved in the block that the kernel shows of a process, and they are
written there when the model is given: whoever looks for a worker's processes looks there. What the
process forks by then shows the same.

A process that is not given a model ends when the other end of its line is closed, which happens
when its host goes, however that goes.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .imports import Outset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .line import Line

#: Takes up the room, until a model is given.
RESERVED = "PARKADE_RESERVED"
#: The argument before which those that come later are not known yet.
WAIT = "--wait"
#: Says, where the kernel shows the environment, that this can be done here.
WAITING = "PARKADE_WAITING"
#: Where the arguments begin and end, among the fields behind the name of a process.
_ARG_START, _ARG_END = 45, 46


def wait(line: Line) -> list[str]:
    """Import what is asked for, wait for a model, and return the arguments to go on with.

    Ends the process where there comes none.
    """
    room = _Room()
    outset = Outset.here()
    stamps = outset.stamps()
    room.write({WAITING: "waiting"})
    asked = _received(line)
    with _watched(asked["late"]) as looked_at:
        failed = _import(asked["modules"])
    # They stay: the collector need not look at them again when the model is there.
    gc.collect()
    gc.freeze()
    line.say({**outset.report(), "stamps": stamps, "failed": failed, "looked_at": looked_at})
    given = _received(line)
    os.environ.update(given["environment"])
    os.chdir(given["folder"])
    _write_to(given["log"], given["said"])
    room.write(given["environment"])
    _show(given["arguments"])
    line.say({"taken": True})
    arguments: list[str] = given["arguments"]
    return arguments


def _received(line: Line) -> Any:
    message = line.hear()
    if message is None:
        # Nothing was begun, so that nothing has to be ended in order.
        os._exit(0)
    return message


def _import(names: Sequence[str]) -> list[str]:
    """Import the modules in this order; return the names of those that cannot be."""
    failed = []
    for name in names:
        if name in sys.modules:
            continue
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - what it raises is its own, and told
            traceback.print_exc()
            failed.append(name)
    return failed


def _write_to(log: str, before: str) -> None:
    """Let the log be where the output goes, behind what went to a file `before`."""
    sys.stdout.flush()
    sys.stderr.flush()
    said = Path(before).read_bytes()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(output, said)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)


def _show(arguments: Sequence[str]) -> None:
    """Let the command line be what it would have been, for whoever lists processes.

    Where the kernel does not tell where it keeps that, or it is too long, it stays as it was.
    """
    sys.orig_argv[sys.orig_argv.index(WAIT) :] = arguments
    stat = Path("/proc/self/stat")
    if not stat.exists():
        return
    # Behind the name, which may have anything in it; see proc_pid_stat(5).
    fields = stat.read_bytes().rpartition(b")")[2].split()
    begin, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    content = b"".join(os.fsencode(word) + b"\0" for word in sys.orig_argv)
    if len(content) < end - begin:
        ctypes.memmove(begin, content.ljust(end - begin - 1) + b"\0", end - begin)


@contextmanager
def _watched(names: Sequence[str]) -> Iterator[list[str]]:
    """Give the names that are looked up in the environment meanwhile, of those that come later."""
    looked_at: list[str] = []
    kind = type(os.environ)

    class Watched(kind):  # type: ignore[misc, valid-type]
        def __getitem__(self, key: str) -> str:
            if key in names and key not in looked_at:
                looked_at.append(key)
            return super().__getitem__(key)  # type: ignore[no-any-return]

    os.environ.__class__ = Watched
    try:
        yield looked_at
    finally:
        os.environ.__class__ = kind


class _Room:
    """The place in the process's own environment block that was reserved for what comes later."""

    def __init__(self) -> None:
        getenv = ctypes.CDLL(None).getenv
        getenv.restype, getenv.argtypes = ctypes.c_void_p, (ctypes.c_char_p,)
        name = RESERVED.encode()
        self._begin = getenv(name) - len(name) - 1
        self._size = len(name) + 1 + len(os.environ[RESERVED])
        # Python, and what it starts, does not see it any more; the memory stays.
        del os.environ[RESERVED]

    def write(self, variables: Mapping[str, str]) -> None:
        """Show these variables, and nothing else, in the reserved place."""
        entries = [os.fsencode(f"{name}={value}\0") for name, value in variables.items()]
        # It was the last variable; readers stop where an empty one would follow.
        content = b"".join(entries).ljust(self._size, b"\0")
        if len(content) > self._size:
            raise ValueError(f"{len(content)} bytes do not fit into {self._size}")
        # The first name is wrong until all the rest is there: nobody reads one of two halves.
        ctypes.memmove(self._begin, b"." + content[1:], self._size)
        ctypes.memmove(self._begin, content[:1], 1)
