"""The manual's own lines, run as they stand by a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house import ROOT

if TYPE_CHECKING:
    from tests.house import House

_WALK = re.compile(r"<!-- walk -->\n```sh\n(.*?)```", re.DOTALL)

#: Marks a test that runs a walk.
needs_a_shell = pytest.mark.skipif(
    any(shutil.which(each) is None for each in ("bash", "curl")),
    reason="the manual's lines need bash and curl",
)


def blocks(page: str) -> list[str]:
    """Return the blocks of a page that are marked as parts of its walk."""
    return _WALK.findall((ROOT / page).read_text())


def walk(page: str, folder: Path, built: House) -> subprocess.CompletedProcess[str]:
    """Run the lines of a page in the folder against a server; all of them have to succeed."""
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-x", "-c", "\n".join(blocks(page))],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PARKADE_STATE": str(built.state),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran
