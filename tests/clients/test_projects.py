"""A project from one file on a whole Parkade: applied, killed anywhere, applied again, destroyed."""

from __future__ import annotations

import itertools
import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.clients.account import QUICK
from tests.clients.relay import relay
from tests.clients.team import Team
from tests.house import PATIENCE, House, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: bytes. More than the piece that a relay lets through.
_WEIGHTS = 1024 * 1024
#: The end of a script that is loaded once there is a file.
_WAIT = """
while not __import__("os").path.exists({gate!r}):
    __import__("time").sleep(0.02)
"""
_TWICE = """
project: Text
models: {m: {data: "s3://m/m", image: x}}
endpoints:
  e:
    variants:
      - {name: A, model: m, type: ml.c5.xlarge}
      - {name: A, model: m, type: ml.c5.xlarge}
"""


def deeds(team: Team) -> list[dict[str, object]]:
    """Return the events of what commands do; others come in their own time."""
    kinds = ("project.", "deployment.", "model.", "route.")
    return [each for each in team.house.events() if str(each["kind"]).startswith(kinds)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("projects")
    (folder / "server.yaml").write_text(QUICK)
    with house(folder / "state", "--config", str(folder / "server.yaml")) as made:
        yield made


@pytest.fixture
def team(built: House, tmp_path: Path) -> Team:
    return Team(built, tmp_path)


def test_a_file_becomes_a_service_once_and_goes_again_with_all_that_it_made(team: Team) -> None:
    before = team.there()
    team.write("Demo")
    out, _ = team.run("apply", "--yes")
    assert "TextDemo: 3 to create" in out
    team.house.wait_state("TextDemo-words", "running")
    answer = wait_for(
        lambda: (
            (told := team.house.call("POST", "/demo", json={"text": "coin"})).is_success and told
        ),
        why="the route",
    )
    assert answer
    there, events = team.there(), deeds(team)
    assert there["endpoints"] == ["TextDemo-words"]
    assert team.here("apply", "--yes")[0] == "TextDemo: nothing differs\n"
    assert json.loads(team.here("apply", "--yes", "--json")[0]) == {"changes": []}
    assert (team.there(), deeds(team)) == (there, events)
    page, _ = team.here("status")
    assert "● running" in page
    assert f"{team.house.url}/demo" in page
    assert "parkade.yaml does not differ" in page
    team.run("destroy", "--yes")
    after = {name: names for name, names in team.there().items() if names}
    assert after == {name: names for name, names in before.items() if names}


def test_a_client_that_is_killed_while_it_stores_leaves_nothing_half_done(team: Team) -> None:
    team.write("Stored")
    (team.folder / "model-a" / "weights.bin").write_bytes(os.urandom(_WEIGHTS))
    before = team.there()
    with relay(team.house.port, held=b"PUT /v1/objects/") as slow:
        process = team.start("apply", "--yes", PARKADE_URL=slow.url)
        assert slow.holding.wait(PATIENCE), "nothing is being stored"
        team.kill(process)
    assert team.there() == before
    assert team.applications("TextStored") == []
    out, _ = team.here("apply", "--yes")
    assert "TextStored: 3 changes are made" in out
    assert json.loads(team.here("apply", "--yes", "--json")[0]) == {"changes": []}
    (key,) = team.there()["textstored-archive"]
    assert key.startswith("TextStored/")
    assert not list((team.folder / "cache" / "parkade" / "archives").glob("*.tar.gz"))
    team.here("destroy", "--yes")


def test_a_client_that_is_killed_while_it_waits_changes_nothing_of_the_end(team: Team) -> None:
    team.write("Waiting")
    gate, script = team.folder / "gate", team.folder / "model-a" / "code" / "inference.py"
    script.write_text(f"{script.read_text()}{_WAIT.format(gate=str(gate))}")
    process = team.start("apply", "--yes")
    wait_for(lambda: team.applications("TextWaiting"), why="an application")
    # It is over no earlier than the endpoint is there.
    team.kill(process)
    gate.touch()
    # It waits for the end of what the killed one began, or finds that end.
    assert team.here("apply", "--yes")[0] == "TextWaiting: nothing differs\n"
    (application,) = team.applications("TextWaiting")
    assert application["status"] == "succeeded"
    assert team.house.state_of("TextWaiting-words") in {"starting", "running"}
    team.here("destroy", "--yes")


def test_two_that_apply_at_once_do_so_one_after_the_other_or_one_is_refused(team: Team) -> None:
    processes = []
    for weight in (1.0, 2.0):
        own = Team(team.house, team.folder / f"of-{weight}")
        own.write("Both", weight=weight)
        processes.append((own, weight, own.start("apply", "--yes")))
    done = []
    for own, weight, process in processes:
        out, err = process.communicate(timeout=PATIENCE * 3)
        if process.returncode == 0:
            done.append((own, weight))
        else:
            assert process.returncode == 1, out + err
            assert "is being applied by" in err or "has changed since plan" in err, err
    assert done
    applications = sorted(team.applications("TextBoth"), key=lambda each: str(each["begun_at"]))
    assert len(applications) == len(done)
    for first, second in itertools.pairwise(applications):
        assert first["ended_at"] <= second["begun_at"]
    # What is there is wholly what one of them asked for.
    last = [
        own for own, _ in done if own.here("apply", "--dry-run")[0].endswith("nothing differs\n")
    ]
    assert len(last) == 1
    last[0].here("destroy", "--yes")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("project: Text\nmodles: {}\n", "modles"),
        ("project: Text\nproject: Text\n", "project"),
        (_TWICE, "two variants named 'A'"),
        ("project: Text\nmodels: {a: {source: none, image: x}}\n", "there is no folder"),
        ("project: Text\nstages: {a: {base: b}, b: {base: a}}\nstage: a\n", "a"),
        ("project: [Text\n", "parkade.yaml:"),
        ("\x00\xff" * 5_000_000, "larger than 1 MB"),
    ],
)  # fmt: skip
def test_a_bad_file_changes_nothing(team: Team, text: str, told: str) -> None:
    before, events = team.there(), deeds(team)
    (team.folder / "parkade.yaml").write_text(text, encoding="latin-1")
    out, err = team.here("apply", "--yes", status=1)
    assert out == ""
    assert told in err
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert (team.there(), deeds(team)) == (before, events)
