"""Dashboards of a project that is applied, called and tested on a whole Parkade."""

import json
import re
from collections import defaultdict
from io import StringIO
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from parkade.apps.cli.dashboardview import Board
from parkade.runtime import packing
from tests import promql
from tests.adapters.mailbox import mailbox
from tests.house import NO_OP, House, wait_for

#: The first of them waits for a whole server with a project on it.
pytestmark = pytest.mark.timeout(300)

DOCUMENT = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text()
#: Seconds of the lease clock in one of real time: whole minutes are soon over.
SCALE = 20
ASKED = {"Content-Type": "application/json"}
OWN = {"Project": "Shop", "Stage": "Demo", "Type": "Route"}


def a_variant(name="AllTraffic", model="m"):
    return {"name": name, "model": model, "type": "ml.c5.xlarge"}


PROJECT = {
    "project": "Shop",
    "stage": "Demo",
    "models": {
        "m": {"data": "s3://models/no-op.tar.gz", "image": "sagemaker-scikit-learn"},
        "many": {
            "data": "s3://models/many/",
            "image": "sagemaker-scikit-learn",
            "multi_model": True,
        },
    },
    "endpoints": {
        "text": {
            "variants": [a_variant("Model-A"), a_variant("Model-B")],
            "lease": {"minutes": 9000},
        },
        "slow": {
            "variants": [a_variant()],
            "async": {"output": "s3://answers/slow"},
            "lease": {"minutes": 9000},
        },
        "many": {"variants": [a_variant(model="many")], "lease": {"minutes": 9000}},
    },
    "routes": {"/text": {"endpoint": "text", "auth": "public"}},
    "monitor": {
        "thresholds": {"errors_4xx": 1, "calls": None},
        "alarms": {"slow": {"endpoint": "text", "metric": "ModelLatency", "above": 5e6}},
        "subscribers": ["ann@example.com"],
    },
    "limits": {"budget": {"amount": 5000}},
    "tester": {
        "route": "/text",
        "cases": [{"id": "1", "input": {"text": "coin"}, "expected": {"ok": True, "n": 4}}],
    },
}


@pytest.fixture(scope="module")
def box():
    with mailbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def house(tmp_path_factory, box):
    folder = tmp_path_factory.mktemp("dashboards")
    server = folder / "server.yaml"
    server.write_text(
        "money: {prices: {ml.c5.xlarge: 0.2}}\n"
        "mail: {host: 127.0.0.1, security: none, sender: parkade@example.com, "
        f"port: {box.port}}}\n"
    )
    house = House(folder / "state", "--time-scale", str(SCALE), "--config", str(server))
    try:
        house.up()
        archive = folder / "no-op.tar.gz"
        packing.pack(NO_OP, archive)
        for key in ("no-op.tar.gz", "many/one.tar.gz"):
            house.ok("PUT", f"/v1/objects/models/{key}", content=archive.read_bytes())
        apply(house)
        yield house
    finally:
        house.end()


def apply(house):
    begun = house.ok("POST", "/v1/projects", json=PROJECT).json()
    where = f"/v1/projects/ShopDemo/applications/{begun['id']}"

    def over():
        found = house.ok("GET", where).json()
        return found if found["status"] != "running" else None

    ended = wait_for(over, why="the project to be applied")
    assert ended["status"] == "succeeded", json.dumps(ended)


def use(house):
    """Call, invoke and test everything once."""
    body = b'{"text": "coin"}'
    assert house.call("POST", "/text", content=body, headers=ASKED).is_success
    house.call("POST", "/text", content=b"{", headers=ASKED)
    target = {"X-Amzn-SageMaker-Target-Model": "one.tar.gz", **ASKED}
    house.ok("POST", "/endpoints/ShopDemo-many/invocations", content=body, headers=target)
    house.ok("PUT", "/v1/objects/inputs/1.json", content=body)
    location = {"X-Amzn-SageMaker-InputLocation": "s3://inputs/1.json", **ASKED}
    house.ok("POST", "/endpoints/ShopDemo-slow/async-invocations", headers=location)
    counts = ("StatusSuccess", "StatusError", "TestSuccess", "TestFail")
    samples = [
        {"name": "ResponseTime", "unit": "Milliseconds", "values": [2.0, 9.0]},
        *({"name": name, "unit": "Count", "values": [2.0]} for name in counts),
    ]
    told = [{**each, "dimensions": OWN} for each in samples]
    form = {"namespace": "Parkade/Tester", "samples": told}
    house.ok("POST", "/v1/metrics", json=form)


class Page:
    """What /metrics has told over time: what is measured by the minute comes and goes."""

    def __init__(self):
        #: Labels of samples, and which texts each had, by the name of the samples.
        self.labels = defaultdict(lambda: defaultdict(set))

    def read(self, text):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    self.labels[sample.name][label].add(value)

    def lacks(self, expression):
        """Say what an expression asks for that was never told; empty: all of it was."""
        parsed = promql.parse(expression)
        for name, matchers in parsed.selectors:
            for label, value in matchers.items():
                if value not in self.labels[name][label]:
                    return f"{name} with {label} {value}"
            if lost := (parsed.grouped - {"le"}) - self.labels[name].keys():
                return f"{name} by {lost}"
        return ""


@pytest.fixture(scope="module")
def written(house):
    return house.ok("GET", "/v1/projects/ShopDemo/dashboard/grafana").json()


@pytest.fixture(scope="module")
def page(house, written):
    """All that was told until there was nothing left to wait for."""
    page = Page()
    expressions = [target["expr"] for panel in written["panels"] for target in targets(panel)]
    # Nothing waits for long enough here to have an age, or expires: the manual has their labels.
    rare = ("parkade_backlog_oldest_seconds", 'result="expired"', 'status="5xx"')
    sure = [each for each in expressions if not any(part in each for part in rare)]

    def look():
        use(house)
        page.read(house.ok("GET", "/metrics").text)
        return not any(map(page.lacks, sure))

    lacking = "everything that the dashboard asks for"
    try:
        wait_for(look, why=lacking)
    except AssertionError:
        pytest.fail(f"never told: {[why for each in sure if (why := page.lacks(each))]}")
    return page


def targets(panel):
    return panel.get("targets", ())


def test_every_metric_and_label_of_every_expression_is_told(page, written):
    """What was never told here is in the manual, which another test holds against /metrics."""
    manual = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(
            r"^\| `(parkade_\w+)` \| \w+ \|([^|]*)\|", DOCUMENT, re.MULTILINE
        )
    }
    count = 0
    for panel in written["panels"]:
        for target in targets(panel):
            parsed = promql.parse(target["expr"])
            for name, matchers in parsed.selectors:
                count += 1
                family = name.removesuffix("_bucket")
                labels = manual[family] | ({"le"} if name != family else set())
                assert {*matchers, *parsed.grouped} <= labels, target["expr"]
                legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                assert legend <= (parsed.left or labels), target
    assert count > 60
    assert page.labels["parkade_alarm_firing"]["alarm"] >= {"ShopDemo-slow", "ShopDemo-errors-5xx"}


def a_line(view, row, panel, label):
    (found,) = (
        line
        for each in view["rows"]
        if each["title"] == row
        for shown in each["panels"]
        if shown["title"] == panel
        for line in shown["lines"]
        if line["label"] == label
    )
    return [value for value in found["values"] if value is not None]


def figures(view, row, panel):
    (found,) = (
        shown["figures"]
        for each in view["rows"]
        if each["title"] == row
        for shown in each["panels"]
        if shown["title"] == panel
    )
    return {each["label"]: each["value"] for each in found}


@pytest.fixture(scope="module")
def view(house, page):
    return house.ok(
        "GET", "/v1/projects/ShopDemo/dashboard", params={"since": "3h", "period": "60"}
    ).json()


def test_what_was_measured_is_drawn(view):
    calls = sum(a_line(view, "API", "Calls", "/text"))
    assert calls >= 2
    text = "Endpoint ShopDemo-text"
    asked = [sum(a_line(view, text, "Invocations", name)) for name in ("Model-A", "Model-B")]
    assert sum(asked) >= calls / 2
    took = [a_line(view, text, "Model latency", f"{name} p99") for name in ("Model-A", "Model-B")]
    assert all(0 < each < 60e6 for line in took for each in line)
    assert any(took)
    slow, many = "Endpoint ShopDemo-slow", "Endpoint ShopDemo-many"
    assert sum(a_line(view, slow, "Invocations", "AllTraffic")) >= 1
    assert sum(a_line(view, slow, "Failures", "AllTraffic failed")) == 0
    assert sum(a_line(view, many, "Models loaded anew", "AllTraffic")) >= 1
    assert max(a_line(view, many, "Models in memory", "AllTraffic")) == 1
    assert sum(a_line(view, "Tester", "Tests", "passed")) >= 2


def test_what_is_there_now_is_told(view):
    assert figures(view, "Endpoint ShopDemo-text", "Instances") == {
        "Model-A wanted": 1,
        "Model-A answer": 1,
        "Model-B wanted": 1,
        "Model-B answer": 1,
    }
    money = "Lease and cost"
    assert 0 < figures(view, money, "Time left")["ShopDemo-text"] <= 9000 * 60
    assert figures(view, money, "Price an hour")["ShopDemo-text"] == pytest.approx(0.4)
    spent = figures(view, money, "Spent")["ShopDemo-text"]
    assert spent >= figures(view, money, "Spent while idle")["ShopDemo-text"] > 0
    budget = figures(view, money, "Budgets")
    assert budget["ShopDemo spent"] > 0
    assert budget["ShopDemo left"] < 5000


def test_lines_are_as_long_as_the_times(view):
    assert len(view["times"]) in {180, 181}
    lengths = {
        len(line["values"])
        for row in view["rows"]
        for panel in row["panels"]
        for line in panel["lines"]
    }
    assert lengths == {len(view["times"])}


def test_alarms_are_listed_with_their_states(house, page):
    wait_for(
        lambda: "ALARM" in states(house).values(), why="the errors of callers to raise the alarm"
    )
    assert set(states(house)) == {
        "ShopDemo-errors-4xx",
        "ShopDemo-errors-5xx",
        "ShopDemo-slow",
    }


def states(house):
    house.call("POST", "/text", content=b"{", headers=ASKED)
    view = house.ok("GET", "/v1/projects/ShopDemo/dashboard").json()
    assert view["missing"] == []
    return {each["name"]: each["state"] for each in view["alarms"]}


def test_subscribers_get_mail_of_the_project_and_of_nothing_else(house, box, page):
    def subjects():
        house.call("POST", "/text", content=b"{", headers=ASKED)
        return [mail["subject"] for _, _, mail in list(box.got)]

    raised = "alarm ShopDemo-errors-4xx is ALARM"
    wait_for(lambda: any(each.startswith(raised) for each in subjects()), why=raised)
    config = house.ok("GET", "/v1/leases/ShopDemo-text").json()["config_name"]
    house.ok("PUT", "/v1/leases/other", json={"config_name": config, "minutes": 3})
    wait_for(
        lambda: house.events(endpoint="other", kind="notice.expiry"), why="a notice about another"
    )
    name = "ShopDemo-ann-at-example.com"
    wait_for(
        lambda: house.ok("GET", f"/v1/subscribers/{name}").json()["waiting"] == 0,
        why="the subscriber to have looked at all",
    )
    for _, to, mail in box.got:
        assert to == ["ann@example.com"]
        assert "ShopDemo" in mail["subject"]
        assert "other" not in str(mail)
    told = [" ".join(mail["subject"].split()) for _, _, mail in box.got]
    assert any("of project ShopDemo succeeded" in each for each in told)
    # That a new alarm has its first data concerns nobody.
    first = {each.split()[1]: each for each in reversed(told) if each.startswith("alarm ")}
    assert all(" is ALARM" in each for each in first.values())


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_terminal(view, width):
    console = Console(file=StringIO(), width=width)
    console.print(Board(view))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    for word in ("/text p99", "Model-B not good", "ShopDemo-errors-5xx", "Spent while idle"):
        assert word in text
    assert re.search("[▂▃▄▅▆▇█]", text)


def test_what_nothing_was_measured_of_takes_one_line(view):
    bare = json.loads(json.dumps(view))
    for row in bare["rows"]:
        for panel in row["panels"]:
            for line in panel["lines"]:
                line["values"] = [None] * len(line["values"])
    console = Console(file=StringIO(), width=200)
    console.print(Board(bare))
    text = console.file.getvalue()
    assert "Nothing measured yet: Calls, Answers of 4xx, Answers of 5xx, Latency" in text
    assert not re.search("[▂▃▄▅▆▇█]", text)


def test_a_span_and_a_period_that_cannot_be_are_refused(house):
    for wrong, field in (
        ({"since": "soon"}, "since"),
        ({"since": "999999999d"}, "since"),
        ({"period": "7"}, "period"),
    ):
        answer = house.call("GET", "/v1/projects/ShopDemo/dashboard", params=wrong)
        assert answer.status_code == 400
        assert answer.json()["error"]["field"] == field


def test_a_project_that_is_not_there_has_none(house):
    for path in ("dashboard", "dashboard/grafana"):
        assert house.call("GET", f"/v1/projects/Other/{path}").status_code == 404
