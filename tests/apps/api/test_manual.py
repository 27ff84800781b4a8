"""docs/api.md says what is there: every operation with its role, every error with its status."""

import re
from pathlib import Path

from parkade.apps.api import errors
from parkade.domain.errors import ParkadeError
from tests.apps.api.test_errors import leaves
from tests.apps.api.test_openapi import OPENAPI
from tests.apps.api.world import SECRETS, World

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


def test_the_table_has_every_operation_with_its_role():
    rows = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \| (\w+) \|", TEXT, re.MULTILINE)
    documented = {
        (method.upper(), path, operation["x-role"])
        for path, operations in OPENAPI["paths"].items()
        for method, operation in operations.items()
    }
    assert len(rows) == len(documented)
    assert set(rows) == documented


def test_the_table_of_errors_has_every_leaf_at_its_status():
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", TEXT, re.MULTILINE)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    for kind in leaves(ParkadeError):
        # The CLI has errors of its own, which no server answers with.
        ours = kind.__module__ == ParkadeError.__module__
        if ours and kind is not ParkadeError and kind.__name__ != "NotFound":
            error = kind.__new__(kind)
            assert (errors.status(error), errors.code(error)) in told


def test_the_lines_of_the_meter_work():
    world = World()
    world.add()
    blocks = re.findall(r"^```sh\n(curl .+?)```", TEXT, re.MULTILINE | re.DOTALL)
    lines = [
        line.replace("$PARKADE_URL", "http://x").replace("$PARKADE_TOKEN", SECRETS["operator"])
        for block in blocks
        if "/endpoint-expiry" in block or "/startexecution" in block
        for line in [block.strip()]
    ]
    assert len(lines) == 4
    for line in lines:
        answer = world.curl(line)
        assert answer.status_code == 200, f"{line}: {answer.text}"
    world.finish()
