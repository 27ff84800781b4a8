"""`parkade simulate`: from teams, from a file, from what the server recorded; table, JSON, CSV."""

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parkade.apps.cli.comparison import Rules
from parkade.apps.cli.main import app
from parkade.domain import synthetic
from parkade.domain.price import Sum
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.domain.simulation.comparison import Subject, compare
from parkade.domain.simulation.rule import DEFAULTS, parse
from parkade.ports.metrics import Sample
from tests.apps.cli.test_views import drawn
from tests.builders import NOW, a_config, a_model, a_variant, an_event, minutes

ONE = ("--rule", "always on:", "--rule", "hour: lease=60 back=0")


@pytest.fixture
def alone(tmp_path):
    """A command line without a server."""
    environment = {"PARKADE_STATE": str(tmp_path / "state"), "PARKADE_URL": "http://127.0.0.1:9"}

    def run(*arguments, stdin=None):
        return CliRunner().invoke(app, ("simulate", *arguments), input=stdin, env=environment)

    return run


def rows(result):
    assert result.exit_code == 0, result.output
    return {row["rule"]: row for row in csv.DictReader(io.StringIO(result.stdout))}


def test_synthetic_teams_need_no_server(alone):
    result = alone("--teams", "2", "--days", "3")
    assert result.exit_code == 0, result.output
    assert "ants-lab" in result.stdout
    assert "people on weekdays" in result.stdout
    assert "an endpoint costs 1.41 USD an hour" in result.stdout
    assert "sleep after 10 min" in result.stdout
    assert alone("--teams", "2", "--days", "3").stdout == result.stdout
    assert alone("--teams", "2", "--days", "3", "--seed", "8").stdout != result.stdout


def test_what_is_written_is_replayed_to_the_same(alone, tmp_path):
    file = tmp_path / "teams.csv"
    first = rows(alone("--teams", "2", "--days", "3", "--csv", "--write", str(file)))
    assert first == rows(alone(str(file), "--csv"))
    again = alone("--teams", "2", "--write", str(file))
    assert again.exit_code == 1
    assert "File exists" in again.stderr


def test_a_file_from_standard_input_at_a_price(alone):
    text = "timestamp,endpoint\n2026-03-02T08:15:00Z,falcon\n2026-03-02T20:00:00Z,falcon\n"
    told = rows(
        alone("-", *ONE, "--type", "ml.g5.12xlarge", "--instances", "2", "--csv", stdin=text)
    )
    assert float(told["always on"]["cost_usd"]) == pytest.approx(24 * 2 * 7.09)
    assert float(told["hour"]["cost_usd"]) == pytest.approx(2 * 2 * 7.09)
    assert (told["hour"]["coins"], told["hour"]["met_stopped"]) == ("2", "2")


def test_json_has_each_endpoint_s_own_results(alone):
    text = '{"timestamp": 1772439300, "endpoint": "ant"}\n{"timestamp": 1772439300, "endpoint": "bee"}\n'
    told = json.loads(alone("-", *ONE, "--json", stdin=text).stdout)
    assert [each["endpoint_name"] for each in told["endpoints"]] == ["ant", "bee"]
    assert told["rules"][1]["endpoints"]["bee"]["hours_up"] == 1
    assert told["requests"] == 2


def test_a_type_without_a_price_is_unpriced_and_never_free(alone):
    result = alone("--teams", "1", "--days", "1", "--type", "ml.x9.large")
    assert "unpriced" in result.stdout
    assert "0.00" not in result.stdout


def test_only_the_endpoints_that_are_named(alone):
    told = json.loads(alone("--teams", "2", "--endpoint", "ants-lab", "--json").stdout)
    assert [each["endpoint_name"] for each in told["endpoints"]] == ["ants-lab"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--teams", "2", "x.csv"), "FILE and --teams"),
        (("--days", "3"), "--days goes with --teams"),
        (("--teams", "0"), "0 teams are not between"),
        (("--teams", "1", "--days", "0"), "0 days are not between"),
        (("--teams", "1", "--since", "2d"), "--since is about"),
        (("--teams", "1", "--json", "--csv"), "--json and --csv"),
        (("--teams", "1", "--rule", "a: leese=3"), "unknown 'leese'"),
        (("--teams", "1", "--rule", "a: lease=3", "--rule", "a: lease=4"), "two rules"),
        (("--teams", "1", "--endpoint", "emu"), "no invocations of an endpoint 'emu'"),
        (("missing.csv",), "missing.csv cannot be read"),
        ((), "no Parkade server answers"),
        ((), "without one: parkade simulate --teams 5"),
        (("--instances", "2"), "--instances goes with --type"),
        (("--teams", "1", "--start", "nan"), "--start nan is not between"),
        (("--teams", "1", "--start", "-1"), "--start -1 is not between"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(alone, arguments, told):
    result = alone(*arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_fault_in_a_file_is_told_with_its_line(alone, tmp_path):
    file = tmp_path / "calls.csv"
    file.write_text("1772439300,falcon\nsoon,falcon\n")
    assert re.search(r"calls.csv, line 2: timestamp 'soon'", alone(str(file)).stderr)


def test_what_the_server_recorded_at_the_price_of_what_it_ran_on(desk):
    world = desk.world
    world.add("falcon")
    world.run_endpoint()
    world.catalog.add_model(a_model(), an_event())
    variant = a_variant(instance_type="ml.g5.12xlarge", instance_count=2)
    world.catalog.add_config(a_config(variants=(variant,)), an_event())
    calls = Series.of(SAGEMAKER, "Invocations", EndpointName="falcon", VariantName="blue")
    gone = Series.of(SAGEMAKER, "Invocations", EndpointName="gone", VariantName="blue")
    world.metrics.add(
        Sample(series=series, at=NOW - minutes(ago), value=Aggregate.of(1.0, 3), unit="Count")
        for series, ago in ((calls, 500), (calls, 100), (gone, 300))
    )
    told = json.loads(desk.ok("simulate", "--since", "12h", *ONE, "--json"))
    assert (told["start"], told["end"]) == ("2026-03-01T03:00:00Z", "2026-03-01T12:00:00Z")
    assert {each["endpoint_name"]: each["hourly_usd"] for each in told["endpoints"]} == {
        "falcon": 14.18,
        "gone": 1.408,
    }
    always, hour = told["rules"]
    assert always["cost_usd"] == pytest.approx(9 * (14.18 + 1.408))
    assert hour["cost_usd"] == pytest.approx(2 * 14.18 + 1.408)
    assert (hour["requests"], hour["met_stopped"]) == (9, 9)


def test_a_server_that_recorded_nothing(desk):
    assert "has recorded no invocation in 14 d" in desk.error("simulate")
    told = desk.error("simulate", "--endpoint", "emu", "--since", "1d")
    assert "has recorded no invocation of emu in 1 d" in told


def table(width):
    habits = synthetic.teams(2, days=7, seed=7)
    subjects = [
        Subject(endpoint_name=each.endpoint_name, traffic=each.traffic, hourly=Sum(usd=2))
        for each in habits
    ]
    result = compare(subjects, [parse(text) for text in DEFAULTS], synthetic.period(7))
    return drawn(Rules(result), width)


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_each_rule_a_line(width):
    lines = table(width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == 3 + len(DEFAULTS)
    assert ("█" in table(width)) is (width == 120)


def test_the_manual_s_example_is_what_is_printed():
    subjects = [
        Subject(
            endpoint_name=each.endpoint_name,
            traffic=each.traffic,
            hourly=Sum(usd=Decimal("1.408")),
        )
        for each in synthetic.teams(5, days=14, seed=7)
    ]
    result = compare(subjects, [parse(text) for text in DEFAULTS], synthetic.period(14))
    manual = (Path(__file__).parents[3] / "docs" / "simulate.md").read_text()
    printed = "\n".join(line.rstrip() for line in drawn(Rules(result), 80).splitlines())
    assert printed in manual
