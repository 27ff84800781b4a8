"""`/metrics`, read as Prometheus reads it: from a real server, and from pictures of odd ones."""

import asyncio
import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from parkade.adapters.memory.events import MemoryHistory
from parkade.apps import link
from parkade.apps.control.monitor.totals import LINGER, SWEEPS, Totals
from parkade.apps.control.traffic import Traffic
from parkade.apps.exposition import page, picture
from parkade.apps.exposition.picture import Deliveries, Leases, Picture, RunningLease
from parkade.domain.cost import Costs
from parkade.domain.event import Event
from parkade.domain.series import bucket
from tests.apps.api.world import World
from tests.builders import NOW
from tests.house import House, free_port, wait_for
from tests.scaled import ADAPTER, BLUE, a_reading

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "monitoring.md").read_text()
DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "parkade.json").read_text())
TEXT = "text/plain; version=0.0.4"


def read(text):
    """The families of a page, by name; that each is there once is checked."""
    families = list(text_string_to_metric_families(text))
    assert max(Counter(each.name for each in families).values()) == 1
    return {each.name: each for each in families}


def value(families, family, suffix="", **labels):
    """The value of the one sample with these labels."""
    (found,) = (
        each.value
        for each in families[family].samples
        if each.name == family + suffix and labels.items() <= each.labels.items()
    )
    return found


# -- a real server -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("exposition") / "state")
    try:
        house.up()
        house.furnish()
        house.park()
        house.ok(
            "POST",
            "/v1/subscribers",
            json={
                "name": "nobody",
                "kind": "webhook",
                "url": f"http://127.0.0.1:{free_port()}/",
                "kinds": ["subscriber.nothing"],
            },
        )
        yield house
    finally:
        house.end()


def scraped(house):
    return read(house.ok("GET", "/metrics").text)


def after(house, invocations):
    """The page once so many invocations are counted."""

    def look():
        families = scraped(house)
        counted = sum(each.value for each in families["parkade_invocations"].samples)
        metered = families["parkade_spend_usd"].samples
        return families if counted >= invocations and metered else None

    return wait_for(look, why=f"{invocations} invocations to be counted")


@pytest.fixture(scope="module")
def used(house):
    """The page after ten invocations of which one failed, and the same a little later."""
    for _ in range(9):
        assert house.invoke().is_success
    broken = {"Content-Type": "application/json"}
    answer = house.call("POST", "/endpoints/demo/invocations", content=b"{", headers=broken)
    assert not answer.is_success
    first = after(house, 10)
    for _ in range(5):
        assert house.invoke().is_success
    return first, after(house, 15)


def test_traffic_is_counted(used):
    families, _ = used
    of = {"endpoint": "demo", "variant": "AllTraffic"}
    assert value(families, "parkade_invocations", "_total", **of) == 10
    assert value(families, "parkade_invocation_model_errors", "_total", **of) == 1
    errors = [
        value(families, "parkade_invocation_errors", "_total", kind=k) for k in ("4xx", "5xx")
    ]
    assert sum(errors) == 1
    for name in ("gateway", "model", "overhead"):
        assert value(families, f"parkade_{name}_latency_seconds", "_count", **of) == 10
        assert value(families, f"parkade_{name}_latency_seconds", "_sum", **of) > 0


def test_calls_are_counted_by_route(used):
    families, _ = used
    of = {"api": "parkade", "route": "/endpoints/{name}/invocations"}
    calls = {
        status: value(families, "parkade_route_calls", "_total", **of, status=status)
        for status in ("2xx", "4xx", "5xx")
    }
    assert calls == {"2xx": 9, "4xx": 1, "5xx": 0}
    for name in ("latency", "integration_latency"):
        assert value(families, f"parkade_route_{name}_seconds", "_count", **of) == 10
        assert value(families, f"parkade_route_{name}_seconds", "_sum", **of) > 0
    whole = value(families, "parkade_route_latency_seconds", "_sum", **of)
    assert whole >= value(families, "parkade_route_integration_latency_seconds", "_sum", **of)


def test_what_runs_is_told(used):
    families, _ = used
    assert value(families, "parkade_leases", state="running") == 1
    assert value(families, "parkade_leases", state="idle") == 0
    left = value(families, "parkade_lease_left_seconds", endpoint="demo", owner="admin")
    assert 0 < left <= 1800
    assert value(families, "parkade_workers", endpoint="demo", state="running") == 1
    assert value(families, "parkade_worker_restarts", "_total", endpoint="demo") == 0
    assert value(families, "parkade_standby_processes") <= 1
    of = {"endpoint": "demo", "variant": "AllTraffic"}
    assert value(families, "parkade_capacity_desired", **of) == 1
    assert value(families, "parkade_capacity_current", **of) == 1
    assert value(families, "parkade_requests_in_flight", endpoint="demo") == 0
    assert value(families, "parkade_backlog_requests", endpoint="demo", state="waiting") == 0
    assert value(families, "parkade_sweep_actions", "_total", kind="start", result="done") == 1
    assert value(families, "parkade_sweep_duration_seconds", "_count") > 0
    assert value(families, "parkade_alarms", state="ALARM") == 0
    assert value(families, "parkade_monitor_storing") == 1


def test_money_is_told(house, used):
    wait_for(
        lambda: value(
            scraped(house),
            "parkade_spend_usd",
            "_total",
            endpoint="demo",
            owner="admin",
            use="idle",
        ),
        why="seconds to be metered",
    )
    assert value(scraped(house), "parkade_instance_seconds", "_total", endpoint="demo") > 0


def test_a_restart_is_counted(house, used):
    (worker,) = house.workers()
    worker.kill()
    wait_for(
        lambda: value(scraped(house), "parkade_worker_restarts", "_total", endpoint="demo") == 1,
        why="the restart to be counted",
    )


def test_counters_only_rise(used):
    first, second = used
    kinds = Counter(each.type for each in second.values())
    assert kinds["counter"] > 5
    assert kinds["histogram"] == 6
    for name, family in first.items():
        if family.type == "gauge":
            continue
        later = {(s.name, *sorted(s.labels.items())): s.value for s in second[name].samples}
        for each in family.samples:
            assert later[each.name, *sorted(each.labels.items())] >= each.value
    assert value(second, "parkade_invocations", "_total") == 15


def test_buckets_are_cumulative_and_end_with_all(used):
    for families in used:
        for family in families.values():
            if family.type == "histogram":
                check_histogram(family)


def check_histogram(family):
    spreads = {}
    for each in family.samples:
        labels = {key: text for key, text in each.labels.items() if key != "le"}
        spread = spreads.setdefault(tuple(labels.items()), {"buckets": []})
        if each.name.endswith("_bucket"):
            spread["buckets"].append((float(each.labels["le"]), each.value))
        else:
            spread[each.name.rpartition("_")[2]] = each.value
    assert spreads
    for spread in spreads.values():
        bounds, counts = zip(*spread["buckets"], strict=True)
        assert list(bounds) == sorted(set(bounds))
        assert list(counts) == sorted(counts)
        assert bounds[-1] == float("inf")
        assert counts[-1] == spread["count"]


def test_every_family_says_what_it_is(house, used):
    text = house.ok("GET", "/metrics").text
    names = re.findall(r"^# HELP (\S+) \S.+$", text, re.MULTILINE)
    assert names == re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.MULTILINE)
    for family in read(text).values():
        assert family.name.startswith("parkade_")
        assert family.type != "counter" or f"{family.name}_total" in names


def test_openmetrics_is_written_where_asked_for(house, used):
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = house.ok("GET", "/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {each.name for each in openmetrics.text_string_to_metric_families(answer.text)}
    assert names == set(scraped(house))
    assert house.ok("GET", "/metrics").headers["content-type"].startswith(TEXT)


def test_a_token_of_any_role_is_needed(house, used):
    token = house.ok("POST", "/v1/tokens", json={"name": "scraper", "role": "invoker"}).json()
    headers = {"Authorization": f"Bearer {token['token']}"}
    assert httpx.get(f"{house.url}/metrics", headers=headers).is_success
    assert httpx.get(f"{house.url}/metrics").status_code == 401
    assert httpx.get(f"{house.url}/metrics", headers={"Authorization": "no"}).status_code == 401


def test_the_setting_shows_it_to_everyone(house, used):
    house.paths.server_file.write_text("monitor:\n  public: true\n")
    try:
        house.ok("POST", "/v1/reload")
        assert httpx.get(f"{house.url}/metrics").is_success
    finally:
        house.paths.server_file.unlink()
        house.ok("POST", "/v1/reload")
    assert httpx.get(f"{house.url}/metrics").status_code == 401


# -- what is written about it --------------------------------------------------------------


def test_the_manual_lists_every_metric_with_its_labels(used):
    rows = re.findall(r"^\| `(parkade_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    families, _ = used
    there = {
        each.name + ("_total" if each.type == "counter" else ""): each for each in families.values()
    }
    assert set(told) == set(there)
    for name, family in there.items():
        kind, labels = told[name]
        assert kind == family.type
        if family.samples:
            seen = {key for sample in family.samples for key in sample.labels} - {"le"}
            assert seen == labels


def expressions():
    return [
        target["expr"] for panel in panels(DASHBOARD) for target in panel.get("targets", ())
    ] + [each["definition"] for each in DASHBOARD["templating"]["list"] if "definition" in each]


def panels(holder):
    for panel in holder["panels"]:
        yield panel
        yield from panels({"panels": panel.get("panels", [])})


def test_the_dashboard_asks_for_nothing_that_is_not_there(used):
    """Every metric, every label that is matched or grouped by, and every value is in the output."""
    families, _ = used
    labels = {}
    told = {
        (sample.name, label)
        for family in families.values()
        for sample in family.samples
        for label in sample.labels.items()
    }
    for family in families.values():
        own = {key for each in family.samples for key in each.labels} - {"le"}
        for name in {family.name, *(each.name for each in family.samples)}:
            labels[name] = own | ({"le"} if family.type == "histogram" else set())
    assert len(expressions()) > 15
    for expression in expressions():
        names = set(re.findall(r"\bparkade_\w+", expression))
        assert names, expression
        assert names <= labels.keys(), expression
        for name, matchers in re.findall(r"(parkade_\w+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)\s*[=!]~?", matchers)) <= labels[name], expression
            for label in re.findall(r'(\w+)="([^"$]+)"', matchers):
                assert (name, label) in told, expression
        grouped = re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression)
        for group in grouped:
            wanted = {each.strip() for each in group.split(",")}
            assert wanted <= set.union(*(labels[name] for name in names)), expression


def test_the_dashboard_can_be_imported():
    assert DASHBOARD["title"]
    assert DASHBOARD["uid"]
    assert DASHBOARD["id"] is None
    assert [each["name"] for each in DASHBOARD["__inputs"]] == ["DS_PROMETHEUS"]
    ids = [panel["id"] for panel in panels(DASHBOARD)]
    assert len(ids) == len(set(ids))
    for panel in panels(DASHBOARD):
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${DS_PROMETHEUS}"
    places = [panel["gridPos"] for panel in panels(DASHBOARD)]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie on each other"
    assert max(x for x, _ in cells) < 24


# -- looking -------------------------------------------------------------------------------


def test_what_gateways_tell_is_read_where_they_tell_it():
    """On the loop: a thread would read what is just being added to."""
    world = World()
    world.add()
    world.run_endpoint()
    threads = []

    def traffic(_):
        threads.append(threading.get_ident())
        return Traffic(in_flight=2)

    world.services.traffic = traffic
    taken = asyncio.run(picture.take(world.services))
    assert taken.in_flight == {"falcon": 2}
    assert set(threads) == {threading.get_ident()}


def test_a_restart_is_counted_once_however_many_scrape_at_once():
    history = MemoryHistory()
    restarts = picture.Restarts(history)
    kind = "worker.restarted"
    history.append(Event(at=NOW, kind=kind, actor="host", reason="again", endpoint_name="demo"))
    read, both = history.read, threading.Barrier(2)

    def together(query):
        found = read(query)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        return found

    history.read = together
    with ThreadPoolExecutor(2) as pool:
        told = [each.result() for each in [pool.submit(restarts.so_far) for _ in range(2)]]
    assert told == [{("demo", ""): 1}] * 2


# -- pictures ------------------------------------------------------------------------------


def a_picture(**changes):
    totals = Totals(lambda: 0.0)
    defaults = {
        "version": "1",
        "storing": True,
        "leases": Leases(states={}, running=()),
        "workers": {},
        "standbys": 1,
        "restarts": {},
        "in_flight": {},
        "backlog": {},
        "traffic": {},
        "routes": {},
        "sweeps": totals.sweeps(),
        "spend": {},
        "capacity": (),
        "alarms": {},
        "firing": {},
        "hourly": {},
        "budgets": (),
        "minutes": (),
        "deliveries": {},
    }
    return Picture(**{**defaults, **changes})


def written(seen):
    body, content_type = page.write(seen, "")
    assert content_type.startswith(TEXT)
    return read(body.decode())


def test_odd_names_are_escaped():
    owner = 'a "quoted"\\ name\nof two lines, 5 €'
    lease = RunningLease(endpoint_name="demo", owner=owner, seconds_left=1.5)
    families = written(
        a_picture(
            leases=Leases(states={"running": 1}, running=(lease,)),
            spend={("demo", owner): Costs()},
            deliveries={owner: Deliveries(letters=3, waiting=2, failing=True)},
        )
    )
    assert value(families, "parkade_lease_left_seconds", owner=owner) == 1.5
    assert value(families, "parkade_delivery_letters", subscriber=owner) == 3
    assert value(families, "parkade_delivery_failing", subscriber=owner) == 1


def test_what_cannot_be_seen_is_left_out_rather_than_told_as_none():
    unseen = {"leases": None, "capacity": None, "alarms": None, "deliveries": None}
    families = written(a_picture(**unseen, storing=False))
    assert not set(families) & {
        "parkade_leases", "parkade_capacity_desired", "parkade_alarms", "parkade_delivery_letters",
    }  # fmt: skip
    assert value(families, "parkade_monitor_storing") == 0


def test_capacities_are_told_of_variants_and_components():
    readings = (
        a_reading(BLUE, current=1, desired=3),
        a_reading(ADAPTER, endpoint_name="parts", current=0, desired=0),
    )
    families = written(a_picture(capacity=readings))
    of = {"endpoint": "falcon", "variant": "blue"}
    assert value(families, "parkade_capacity_current", **of) == 1
    assert value(families, "parkade_capacity_desired", **of) == 3
    assert value(families, "parkade_capacity_desired", endpoint="parts", variant="adapter") == 0


def spread_of(*microseconds):
    return link.Spread(
        total=sum(microseconds),
        least=min(microseconds),
        most=max(microseconds),
        buckets=dict(Counter(map(bucket, microseconds))),
    )


def test_bounds_are_exact():
    """No sample is counted below a bound that it is above, nor the other way round."""
    took = [1, 255.9, 256.1, 511.9, 512.1, 1023.9, 1024.1, 66e6, 67.2e6, 3600e6]
    totals = Totals(lambda: 0.0)
    totals.report({"demo": {"blue": link.Usage(invocations=len(took), whole=spread_of(*took))}})
    families = written(a_picture(traffic=totals.traffic({"demo"})))
    family = families["parkade_gateway_latency_seconds"]
    check_histogram(family)
    for each in family.samples:
        if each.name.endswith("_bucket"):
            bound = float(each.labels["le"])
            assert each.value == sum(one / 1e6 <= bound for one in took)
    assert value(families, family.name, "_sum") == pytest.approx(sum(took) / 1e6)


def test_sweeps_are_counted_by_their_duration():
    totals = Totals(lambda: 0.0)
    for seconds in (0.0005, SWEEPS[0], 0.3, 60.0):
        totals.swept(seconds, None)
    families = written(a_picture(sweeps=totals.sweeps()))
    check_histogram(families["parkade_sweep_duration_seconds"])
    assert value(families, "parkade_sweep_duration_seconds", "_bucket", le="0.001") == 2
    assert value(families, "parkade_sweep_duration_seconds", "_bucket", le="0.5") == 3
    assert value(families, "parkade_sweep_duration_seconds", "_count") == 4
    assert value(families, "parkade_sweeps_blind", "_total") == 4


def test_endpoints_that_are_gone_are_forgotten_after_some_scrapes():
    now = [0.0]
    totals = Totals(lambda: now[0])
    used = link.Usage(invocations=1)
    totals.report({"gone": {"blue": used}, "there": {"blue": used}})
    now[0] = LINGER - 1
    assert set(totals.traffic({"there"})) == {("gone", "blue"), ("there", "blue")}
    now[0] = LINGER + 1
    assert set(totals.traffic({"there"})) == {("there", "blue")}


def test_a_copy_of_the_counts_does_not_change():
    totals = Totals(lambda: 0.0)
    used = link.Usage(invocations=1, errors_4xx=1, whole=spread_of(10.0))
    totals.report({"demo": {"blue": used}})
    before = totals.traffic({"demo"})["demo", "blue"]
    sweeps = totals.sweeps()
    kept = replace(before, errors=before.errors.copy()), before.whole.cumulative()
    totals.report({"demo": {"blue": used}})
    totals.swept(1.0, None)
    assert (before.invocations, before.errors["4xx"]) == (1, 1)
    assert kept[1] == before.whole.cumulative()
    assert sweeps.cumulative()[-1] == 0
