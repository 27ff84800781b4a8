"""Leases, workers, sweeps, money, alarms and deliveries as families of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from parkade.apps.control.monitor.totals import SWEEPS
from parkade.apps.exposition.latencies import buckets
from parkade.domain.alarm import State
from parkade.runtime.places import InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from parkade.apps.exposition.picture import Picture


def families(picture: Picture) -> Iterator[Metric]:
    """Give everything but traffic."""
    yield from _server(picture)
    yield from _leases(picture)
    yield from _workers(picture)
    yield from _capacity(picture)
    yield from _requests(picture)
    yield from _sweeps(picture)
    yield from _money(picture)
    yield from _telling(picture)


def _server(picture: Picture) -> Iterator[Metric]:
    build = GaugeMetricFamily(
        "parkade_build_info", "Always 1; the version that runs.", labels=("version",)
    )
    build.add_metric((picture.version,), 1)
    yield build
    yield GaugeMetricFamily(
        "parkade_monitor_storing",
        "1 while what is measured can be stored, else 0.",
        value=int(picture.storing),
    )


def _leases(picture: Picture) -> Iterator[Metric]:
    if picture.leases is None:
        return
    leases = GaugeMetricFamily("parkade_leases", "Leases by state.", labels=("state",))
    for state, number in picture.leases.states.items():
        leases.add_metric((state,), number)
    left = GaugeMetricFamily(
        "parkade_lease_left_seconds",
        "Seconds until a lease expires, for leases whose time runs.",
        labels=("endpoint", "owner"),
    )
    for each in picture.leases.running:
        left.add_metric((each.endpoint_name, each.owner), each.seconds_left)
    yield from (leases, left)


def _workers(picture: Picture) -> Iterator[Metric]:
    workers = GaugeMetricFamily(
        "parkade_workers", "Workers by state.", labels=("endpoint", "variant", "state")
    )
    there = sorted({(endpoint, variant) for endpoint, variant, _ in picture.workers})
    for endpoint, variant in there:
        for state in InstanceState:
            number = picture.workers.get((endpoint, variant, state.value), 0)
            workers.add_metric((endpoint, variant, state.value), number)
    restarts = CounterMetricFamily(
        "parkade_worker_restarts",
        "Workers that died or hung and answer again.",
        labels=("endpoint", "variant"),
    )
    for key in sorted({*there, *picture.restarts}):
        restarts.add_metric(key, picture.restarts.get(key, 0))
    standbys = GaugeMetricFamily(
        "parkade_standby_processes",
        "Processes that wait to become workers.",
        value=picture.standbys,
    )
    yield from (workers, standbys, restarts)


def _capacity(picture: Picture) -> Iterator[Metric]:
    if picture.capacity is None:
        return
    labels = ("endpoint", "variant")
    desired = GaugeMetricFamily(
        "parkade_capacity_desired", "Instances or copies that there are to be.", labels=labels
    )
    current = GaugeMetricFamily(
        "parkade_capacity_current", "Instances or copies that answer.", labels=labels
    )
    for each in sorted(picture.capacity, key=lambda each: each.resource.id):
        key = (each.endpoint_name, each.resource.variant_name or each.resource.name)
        desired.add_metric(key, each.desired)
        current.add_metric(key, each.current)
    yield from (desired, current)


def _requests(picture: Picture) -> Iterator[Metric]:
    in_flight = GaugeMetricFamily(
        "parkade_requests_in_flight", "Invocations under way.", labels=("endpoint",)
    )
    for endpoint, number in sorted(picture.in_flight.items()):
        in_flight.add_metric((endpoint,), number)
    backlog = GaugeMetricFamily(
        "parkade_backlog_requests",
        "Asynchronous invocations that wait, and that run.",
        labels=("endpoint", "state"),
    )
    for endpoint, (waiting, running) in sorted(picture.backlog.items()):
        backlog.add_metric((endpoint, "waiting"), waiting)
        backlog.add_metric((endpoint, "running"), running)
    yield from (in_flight, backlog)


def _sweeps(picture: Picture) -> Iterator[Metric]:
    sweeps = picture.sweeps
    durations = HistogramMetricFamily("parkade_sweep_duration_seconds", "Time that sweeps took.")
    durations.add_metric((), buckets(SWEEPS, sweeps.cumulative()), sweeps.seconds)
    actions = CounterMetricFamily(
        "parkade_sweep_actions", "Actions of sweeps.", labels=("kind", "result")
    )
    for result, counted in (("done", sweeps.done), ("failed", sweeps.failed)):
        for kind, number in sorted(counted.items()):
            actions.add_metric((kind, result), number)
    yield from (durations, actions)
    yield CounterMetricFamily(
        "parkade_sweeps_blind", "Sweeps that could not see what runs.", value=sweeps.blind
    )


def _money(picture: Picture) -> Iterator[Metric]:
    spend = CounterMetricFamily(
        "parkade_spend_usd",
        "Cost of instances in USD, used and idle apart; what is unpriced is not in it.",
        labels=("endpoint", "owner", "use"),
    )
    seconds = CounterMetricFamily(
        "parkade_instance_seconds",
        "Seconds that instances ran, priced or not.",
        labels=("endpoint", "owner"),
    )
    for key, costs in sorted(picture.spend.items()):
        spend.add_metric((*key, "used"), float(costs.used.usd))
        spend.add_metric((*key, "idle"), float(costs.idle.usd))
        seconds.add_metric(key, costs.instances.total_seconds())
    yield from (spend, seconds)


def _telling(picture: Picture) -> Iterator[Metric]:
    if picture.alarms is not None:
        alarms = GaugeMetricFamily("parkade_alarms", "Alarms by state.", labels=("state",))
        for state in State:
            alarms.add_metric((state.value,), picture.alarms.get(state.value, 0))
        yield alarms
    if picture.deliveries is None:
        return
    letters = GaugeMetricFamily(
        "parkade_delivery_letters",
        "Events that were given up and are kept to be sent again.",
        labels=("subscriber",),
    )
    waiting = GaugeMetricFamily(
        "parkade_delivery_waiting",
        "Events that a subscriber has not got to yet.",
        labels=("subscriber",),
    )
    failing = GaugeMetricFamily(
        "parkade_delivery_failing",
        "1 while deliveries to a subscriber fail, else 0.",
        labels=("subscriber",),
    )
    for name, each in sorted(picture.deliveries.items()):
        letters.add_metric((name,), each.letters)
        waiting.add_metric((name,), each.waiting)
        failing.add_metric((name,), int(each.failing))
    yield from (letters, waiting, failing)
