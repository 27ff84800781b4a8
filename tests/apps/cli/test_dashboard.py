"""`parkade dashboard`: drawn, as JSON, for Grafana, of a file or of the server's project."""

import json

import pytest
import yaml

from parkade.apps.projectfile import document
from parkade.apps.projectfile.layout import project_of
from tests import promql
from tests.apps.cli.desk import desk as open_desk
from tests.builders import NOW, minutes
from tests.shelf import DOCUMENT

FILE = DOCUMENT | {
    "monitor": {"thresholds": {}},
    "limits": {"budget": {"amount": 5}},
    "tester": {"route": "/text", "cases": [{"id": "1", "input": 1, "expected": 1}]},
}


@pytest.fixture
def desk(tmp_path):
    with open_desk(tmp_path) as opened:
        opened.file = tmp_path / "parkade.yaml"
        opened.file.write_text(yaml.safe_dump(FILE))
        yield opened
        while opened.world.pending:
            opened.world.pending.pop().close()


@pytest.fixture
def applied(desk):
    project = project_of(document.read(FILE))
    desk.world.services.projecting.projects.apply(project, "ann")
    return desk


def grafana(desk, *arguments):
    return json.loads(desk.ok("dashboard", "--format", "grafana", *arguments))


def test_a_file_is_enough_for_grafana(desk):
    written = grafana(desk, "--file", str(desk.file))
    assert (written["title"], written["uid"]) == ("TextDemo", "parkade-TextDemo")
    for panel in written["panels"]:
        for target in panel.get("targets", ()):
            promql.parse(target["expr"])


def test_the_servers_project_gives_the_same(applied):
    assert grafana(applied, "--project", "TextDemo") == grafana(
        applied, "--file", str(applied.file)
    )


def test_it_is_written_to_a_file_and_over_one_only_if_forced(desk, tmp_path):
    output = tmp_path / "text.json"
    arguments = ("dashboard", "--format", "grafana", "-f", str(desk.file), "-o", str(output))
    assert "written" in desk.run(*arguments).stderr
    assert json.loads(output.read_text())["title"] == "TextDemo"
    assert "there already" in desk.error(*arguments)
    desk.ok(*arguments, "--force")


def test_json_is_what_the_api_tells(applied):
    told = json.loads(applied.ok("dashboard", "--file", str(applied.file), "--format", "json"))
    assert told["project"] == "TextDemo"
    assert told["period"] == 60
    assert len(told["times"]) == 60
    titles = [row["title"] for row in told["rows"]]
    assert titles == ["API", "Endpoint TextDemo-words", "Lease and cost", "Tester"]
    assert told["missing"] == [
        "TextDemo-overall-calls",
        "TextDemo-errors-4xx",
        "TextDemo-errors-5xx",
    ]


def test_it_is_drawn_with_what_is_missing(applied):
    shown = applied.ok("dashboard", "--file", str(applied.file), "--since", "2h")
    assert "Nothing measured yet: Calls, Answers of 4xx" in shown
    assert "no lease" in shown
    assert "TextDemo-errors-5xx" in shown
    assert "not there; parkade apply makes it again" in shown
    begin = NOW - minutes(120)
    assert f"From {begin:%Y-%m-%d %H:%M} to {NOW:%Y-%m-%d %H:%M} UTC, 5 min a point" in shown


def test_what_cannot_be_is_said_on_one_line(applied, tmp_path):
    assert "--output goes with --format" in applied.error("dashboard", "-o", str(tmp_path / "x"))
    file = ("--file", str(applied.file))
    assert "since 'soon'" in applied.error("dashboard", *file, "--since", "soon")
    assert "exclude each other" in applied.error("dashboard", *file, "--project", "TextDemo")
    assert "Other" in applied.error("dashboard", "--project", "Other")
