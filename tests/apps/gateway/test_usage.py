"""What control is told of the use of each variant, and when control is away."""

from __future__ import annotations

import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from parkade.apps import link, snapshots
from tests.apps.gateway.stand import Gate, Reply, invocation, read_answer, stand, wait_for

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Request, Stand


def buckets(house: Stand, endpoint: str, what: str) -> int:
    return sum(house.times[endpoint, "main", what].values())


@pytest.mark.semantics("metrics.variant")
def test_invocations_errors_and_times_are_counted(house: Stand) -> None:
    def behave(request: Request) -> Reply:
        return Reply(status=int(request.body))

    house.worker("counted", behave)
    house.push(endpoints={"counted": house.view("counted")})
    for status in (200, 200, 400, 404, 500, 302):
        house.invoke("counted", body=str(status))
    used = house.usage[("counted", "main")]
    wait_for(lambda: used["invocations"] == 6)
    assert (used["errors_4xx"], used["errors_5xx"], used["model_errors"]) == (2, 1, 4)
    assert used["model_us"] > 0
    assert used["overhead_us"] > 0
    for what in ("model", "overhead", "whole"):
        assert buckets(house, "counted", what) == 6
    assert (used["retried"], used["in_flight"]) == (0, 0)


def test_what_is_in_flight_is_told_and_what_is_refused_is_not_counted(house: Stand) -> None:
    gate = Gate()
    house.worker("flying", gate)
    house.push(endpoints={"flying": house.view("flying")})
    used = house.usage[("flying", "main")]
    with house.connect() as caller:
        caller.sendall(invocation(b"", endpoint="flying"))
        wait_for(lambda: used["in_flight"] == 1)
        house.invoke("flying", token="pk_wrong")
        house.call(gate.opened.set)
        read_answer(caller)
    wait_for(lambda: used["invocations"] == 1)
    assert used["in_flight"] == 0


def test_what_waits_for_an_endpoint_without_instances_is_under_way(house: Stand) -> None:
    house.worker("late")
    house.push(endpoints={"bare": house.view()})
    used = house.usage[("bare", link.UNPLACED)]
    with house.connect() as caller:
        caller.sendall(invocation(b"", endpoint="bare"))
        wait_for(lambda: used["in_flight"] == 1)
        house.push(endpoints={"bare": house.view("late")})
        assert read_answer(caller).status == 200
    wait_for(lambda: house.usage[("bare", "main")]["invocations"] == 1)
    wait_for(lambda: used["in_flight"] == 0)
    assert used["invocations"] == 0


def test_what_waited_in_vain_is_counted(house: Stand) -> None:
    house.push(endpoints={"vain": house.view()}, limits=house.limits(model_seconds=0.2))
    assert house.invoke("vain").status != 200
    used = house.usage[("vain", link.UNPLACED)]
    wait_for(lambda: used["invocations"] == 1)
    wait_for(lambda: used["in_flight"] == 0)
    house.push(endpoints={"vain": house.view()}, limits=house.limits())
    with house.connect() as caller:
        caller.sendall(invocation(b"", endpoint="vain"))
        wait_for(lambda: used["in_flight"] == 1)
    wait_for(lambda: used["invocations"] == 2)


def test_a_gateway_tells_who_it_is_and_that_it_ends() -> None:
    with stand(patience={"last": 10_000}) as house:
        house.worker("w")
        house.push(endpoints={"e": house.view("w")})
        house.invoke()
        wait_for(lambda: house.reports)
        (gateway,) = {each.gateway for each in house.reports}
        house.close_link()
        house.reports.clear()
        house.open_link()
        wait_for(lambda: house.reports)
        assert house.reports[0].gateway == gateway
        assert house.reports[0].silence is not None
        # Whoever hears it may know nothing: when the variant was last used is told again.
        age = house.reports[0].usage["e"]["main"].age
        assert age is not None
        assert age > 0
        assert not any(each.last for each in house.reports)
        assert house.stop() == 0
        wait_for(lambda: house.reports[-1].last)


def test_an_endpoint_reports_all_its_variants_together(house: Stand) -> None:
    seen: list[link.UsageReport] = []
    house.worker("together")
    variants = (house.variant("a", "together"), house.variant("b", "together"))
    house.push(endpoints={"both": link.EndpointView(variants=variants)})
    assert house.server is not None
    house.server._on_usage = lambda _, usage: seen.append(usage)
    try:
        house.invoke("both", X_Amzn_SageMaker_Target_Variant="b")
        wait_for(lambda: any("both" in usage for usage in seen))
        assert all(usage["both"].keys() == {"a", "b"} for usage in seen if "both" in usage)
    finally:
        house.server._on_usage = house._on_usage


def test_the_data_plane_outlives_the_control_plane() -> None:
    """Invariant 6: with control gone, nothing is refused and nothing is forgotten."""
    with stand() as house:
        house.worker("w")
        house.push(endpoints={"e": house.view("w")})
        house.invoke()
        used = house.usage[("e", "main")]
        wait_for(lambda: used["invocations"] == 1)
        house.close_link()
        for _ in range(50):
            assert house.invoke().status == 200
        assert used["invocations"] == 1
        house.open_link()
        wait_for(lambda: used["invocations"] == 51)
        # Control has begun to count versions anew; the gateway follows.
        house._numbers = iter(range(1, 10))
        house.push(endpoints={})
        assert house.invoke().status == 400


def test_control_that_comes_back_is_told_what_is_in_flight() -> None:
    with stand() as house:
        gate = Gate()
        house.worker("w", gate)
        house.push(endpoints={"e": house.view("w")})
        with house.connect() as caller:
            caller.sendall(invocation(b""))
            wait_for(lambda: house.usage[("e", "main")]["in_flight"] == 1)
            house.close_link()
            assert house.gone == ["gateway-1"]
            house.usage.clear()
            house.open_link()
            wait_for(lambda: house.usage[("e", "main")]["in_flight"] == 1)
            house.call(gate.opened.set)
            read_answer(caller)


def test_counts_that_control_took_to_its_grave_are_told_again() -> None:
    """Control dies after it was sent the counts and before it said that it has them."""
    with stand(link_open=False) as house:
        house.worker("w")
        house.tell(endpoints={"e": house.view("w")})
        house.link.setblocking(True)
        dying, _ = house.link.accept()
        house.link.setblocking(False)
        values = snapshots.to_json(house.snapshot)
        dying.sendall(link.frame({"kind": "snapshot", "snapshot": values}))
        for _ in range(7):
            house.invoke()
        heard = b""
        while b'"invocations":' not in heard:
            heard += dying.recv(4096)
        dying.close()
        house.open_link()
        wait_for(lambda: house.usage[("e", "main")]["invocations"] == 7)


def test_the_last_counts_are_told_to_a_control_that_is_busy() -> None:
    with stand(patience={"last": 10_000}) as house:
        house.worker("w")
        house.push(endpoints={"e": house.view("w")})
        busy, go_on = threading.Event(), threading.Event()

        def slowly(gateway: str, usage: link.UsageReport) -> None:
            busy.set()
            assert go_on.wait(60)
            house._on_usage(gateway, usage)

        assert house.server is not None
        assert house.process is not None
        house.server._on_usage = slowly
        assert busy.wait(60)
        house.process.send_signal(signal.SIGTERM)
        # It waits for as long as it takes.
        with pytest.raises(subprocess.TimeoutExpired):
            house.process.wait(0.5)
        go_on.set()
        assert house.process.wait(60) == 0
        wait_for(lambda: house.reports[-1].last)


def test_the_last_counts_are_told_before_the_end() -> None:
    with stand(patience={"last": 10_000}) as house:
        house.worker("w")
        house.push(endpoints={"e": house.view("w")}, limits=link.Limits(usage_seconds=1000))
        for _ in range(3):
            house.invoke()
        assert house.stop() == 0
        wait_for(lambda: house.usage[("e", "main")]["invocations"] == 3)
