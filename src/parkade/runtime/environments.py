"""Where a script's packages come from: Parkade's own environment, or an isolated one.

A model folder with `code/requirements.txt` gets a virtual environment of its own, cached by the
content of that file and shared by every state on this machine. Nothing of Parkade is installed
into it. Instead a folder of links is put behind its own packages: to the container program,
under the name `parkade_container`, and to the few libraries it needs, which come from Parkade's
environment and are shadowed where the model brings its own. The models of a multi-model
container share one, made from what its endpoint says they need.

An environment is built in place, because virtual environments cannot be moved. A lock keeps
others out meanwhile, and a marker written last tells a whole one from a left-over.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from parkade.domain.errors import StartFailed
from parkade.runtime import container
from parkade.runtime.container.script import code_folder
from parkade.runtime.container.variables import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ALIAS = "parkade_container"
#: The program for many models, in the package under either name.
MULTI = "multi"
#: Linked from Parkade's own environment; their compiled parts fit, as the interpreter is the same.
#: psutil where the system has no /proc to ask how large a process is.
BORROWED = ("httptools", "uvloop", *(() if sys.platform == "linux" else ("psutil",)))
#: A FailureReason has room for 1024 characters.
QUOTED_LINES = 5
QUOTED_CHARACTERS = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCommand:
    """How to start the container of a model folder; its own arguments follow `argv_prefix`."""

    argv_prefix: list[str]
    env: dict[str, str]
    #: Whether it takes `--line FD`, where it says that it listens, and `--wait FD` instead of all
    #: its arguments; see `container/reserve.py`.
    talks: bool = False


class Halt:
    """Lets another thread end a preparation: what runs is killed, nothing further is started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._halted = False
        self._running: set[subprocess.Popen[bytes]] = set()

    def halt(self) -> None:
        """End every preparation that was given this object; each raises StartFailed."""
        with self._lock:
            self._halted = True
            for process in self._running:
                _kill_group(process)

    def run(self, argv: Sequence[str], *, cwd: Path, output: IO[bytes], lock: int) -> int:
        """Run a program to its end and return its exit status."""
        with self._lock:
            if self._halted:
                raise StartFailed("the preparation of the model's environment was ended")
            # The child inherits the lock: should this process be killed, nobody else builds here
            # until the child has ended, too.
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
            )
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.discard(process)


def script_command(
    model_dir: Path,
    *,
    cache: Path,
    log: Path,
    halt: Halt | None = None,
    environment: Mapping[str, str] | None = None,  # noqa: ARG001 - other containers look at it
) -> ScriptCommand:
    """Return how to start the container for a model folder, its environment prepared.

    Blocks while packages are installed; their installation is told in `log`. Raises StartFailed
    with the last lines of what failed.
    """
    requirements = code_folder(model_dir) / "requirements.txt"
    if requirements.is_file():
        python = prepare(requirements, cache=cache, log=log, halt=halt)
        return _command(python, ALIAS, talks=True)
    return _command(Path(sys.executable), container.__name__, talks=True)


def multi_command(
    model_dir: Path,  # noqa: ARG001 - as for every container; models come one by one, later
    *,
    cache: Path,
    log: Path,
    halt: Halt | None = None,
    environment: Mapping[str, str],
) -> ScriptCommand:
    """Return how to start the container of many models, its environment prepared.

    What the models need is told by PARKADE_REQUIREMENTS in the `environment`, in the form of a
    requirements.txt. Blocks and raises like `script_command`.
    """
    text = environment.get(REQUIREMENTS, "").strip()
    if not text:
        return _command(Path(sys.executable), f"{container.__name__}.{MULTI}")
    content = f"{text}\n".encode()
    folder = cache.resolve() / "requirements" / hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    # Renamed when it is whole: others with the same content may be reading it.
    with tempfile.NamedTemporaryFile(dir=folder.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(requirements)
    python = prepare(requirements, cache=cache, log=log, halt=halt)
    return _command(python, f"{ALIAS}.{MULTI}")


def _command(python: Path, module: str, *, talks: bool = False) -> ScriptCommand:
    # -P: a file in the working folder is not taken for a package.
    return ScriptCommand(
        argv_prefix=[str(python), "-P", "-m", module],
        env={"PYTHONUNBUFFERED": "1"},
        talks=talks,
    )


def prepare(requirements: Path, *, cache: Path, log: Path, halt: Halt | None = None) -> Path:
    """Return the interpreter of an isolated environment that has these requirements.

    Blocks until it is there: builds it, waits for whoever builds it, or finds it in the cache.
    """
    requirements = requirements.resolve()
    envs = cache.resolve() / "envs"
    envs.mkdir(parents=True, exist_ok=True)
    env = envs / _key(requirements)
    python = env / "bin" / "python"
    marker = env / "complete"
    with _locked(env.with_suffix(".lock")) as lock:
        # `exists` follows the link: an environment whose interpreter was removed is built anew.
        if not (marker.exists() and python.exists()):
            _build(env, requirements, log, halt or Halt(), lock)
            marker.touch()
    return python


def _key(requirements: Path) -> str:
    """Return what tells one environment from another, as a name for its folder.

    Where a line names something in its folder (a wheel, a further file), the whole folder counts.
    """
    content = requirements.read_bytes()
    digest = hashlib.sha256(content)
    # The links go to one place, so Parkade installed elsewhere has environments of its own.
    marks = (
        sys.implementation.cache_tag or "",
        sysconfig.get_platform(),
        *(str(source) for source in _sources().values()),
    )
    for mark in marks:
        digest.update(b"\0" + mark.encode())
    if _names_neighbours(content.decode(errors="replace"), requirements.parent):
        for path in sorted(requirements.parent.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(b"\0" + str(path.relative_to(requirements.parent)).encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _names_neighbours(text: str, folder: Path) -> bool:
    words = (
        word.removeprefix("file:")
        for line in text.splitlines()
        for word in line.partition("#")[0].replace("=", " ").split()
    )
    return any(word not in {"", "@"} and (folder / word).exists() for word in words)


def _sources() -> dict[str, Path]:
    """Return what the folder of links holds: name and place."""
    found = {ALIAS: Path(container.__file__).parent}
    for name in BORROWED:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise StartFailed(f"Parkade's own environment has no {name}; install Parkade again")
        found[name] = Path(spec.origin).parent
    return found


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Released when the last process that has the file open closes it.
        yield file.fileno()


def _build(env: Path, requirements: Path, log: Path, halt: Halt, lock: int) -> None:
    if env.exists():
        shutil.rmtree(env)
    # -I: neither PYTHONPATH nor a user's own packages leak into the environment.
    venv = [sys.executable, "-I", "-m", "venv", str(env)]
    pip = [str(env / "bin" / "python"), "-I", "-m", "pip", "install", "-r", requirements.name]
    pip += ["--no-input", "--no-color", "--progress-bar", "off", "--disable-pip-version-check"]
    with log.open("ab") as output:
        output.write(f"installing {requirements} into {env}\n".encode())
        output.flush()
        start = output.tell()
        for argv, failed in (
            (venv, "a virtual environment could not be made"),
            (pip, f"{requirements.name} could not be installed"),
        ):
            # Relative paths in the requirements are relative to their own folder.
            if halt.run(argv, cwd=requirements.parent, output=output, lock=lock) != 0:
                raise StartFailed(f"{failed}: {_quoted(log, start)}")
    _link(env)


def _link(env: Path) -> None:
    """Put the folder of links behind the environment's own packages."""
    links = env / "parkade"
    links.mkdir()
    for name, source in _sources().items():
        (links / name).symlink_to(source)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (env / "lib" / version / "site-packages" / "parkade.pth").write_text(f"{links}\n")


def _quoted(log: Path, start: int) -> str:
    """Return the last lines written to the log since `start`."""
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-QUOTED_LINES:])[-QUOTED_CHARACTERS:] or "it said nothing"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that was started as the leader of its own group, with its children."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
