"""One synthesis for all tests of a run; one application for each module that asks for one."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.aws.account_server import ACCOUNT
from tests.aws.application import Application
from tests.aws.machines import NODE
from tests.aws.project import FOLDERS, PROJECT, SERVER, WALKS
from tests.aws.standins import REGION
from tests.aws.template import Assembly
from tests.aws.walking import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Modules that look back on the walks of others, in this order.
LAST = ("test_destroying.py", "test_permissions.py")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The application of `project.py`, synthesized by whichever process of this run asks first."""
    base = tmp_path_factory.getbasetemp()
    # Processes of one run have folders beside each other.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "assembly"
    with (shared / "assembly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _synthesize(shared, folder)
    return Assembly(folder, account=ACCOUNT, region=REGION)


def _synthesize(shared: Path, folder: Path) -> None:
    project = shared / "project"
    project.mkdir()
    (project / "parkade.yaml").write_text(PROJECT)
    (project / "server.yaml").write_text(SERVER)
    for name, source in FOLDERS.items():
        # What Python writes there comes and goes, while others import from it.
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / source, project / name, ignore=ignored)
    fresh = shared / "assembly-fresh"
    command = [sys.executable, "-m", "parkade.infra", "--file", str(project / "parkade.yaml")]
    done = subprocess.run(
        [
            *command,
            "--config",
            str(project / "server.yaml"),
            "--out",
            str(fresh),
            "--no-bundle",
            "--no-retain",
            "--unchecked",
        ],
        env={**os.environ, "PATH": f"{NODE.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    fresh.rename(folder)


@pytest.fixture(scope="session")
def running(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """The application, deployed. All walks share one: they are in one process, see below."""
    with Application(assembly, tmp_path_factory.mktemp("aws")) as made:
        made.deploy()
        yield made


@pytest.fixture(scope="session")
def walk(running: Application) -> Walk:
    made = Walk(running)
    # What the stacks put on the meter, the minute's sweep starts.
    made.sweep()
    return made


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep walks together in one process; other tests go by their files."""

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = Path(nodeid.split("::", maxsplit=1)[0])
            return "walks" if file.stem in (*WALKS, "test_permissions") else str(file)

    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have what looks back on walks come last, and the first of them wait for the synthesis."""
    for item in items:
        if "running" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(1200))
    items.sort(key=lambda item: item.path.name in LAST and LAST.index(item.path.name) + 1)
