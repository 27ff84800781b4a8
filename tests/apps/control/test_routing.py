"""What the host shows becomes what gateways go by."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from parkade.apps import link, snapshots
from parkade.apps.control import routing
from parkade.apps.control.publisher import in_real_time
from parkade.domain.catalog import Asynchronous, Capture
from parkade.domain.standing import Standing, State, expecting
from parkade.runtime.views import (
    ComponentView,
    FleetView,
    InstanceView,
    RisingView,
    VariantView,
)

RUNNING = Standing(state=State.RUNNING, reason="running")


def an_instance(instance_id="i", *addresses):
    return InstanceView(
        id=instance_id,
        addresses=addresses or (f"/run/{instance_id}.sock",),
        variant_name="blue",
        models=Path("/models"),
    )


def a_view(name="blue", **changes):
    return VariantView(**{"name": name, "weight": 1.0, "instances": (an_instance(),), **changes})


def through_the_link(view):
    """Return the view as a gateway reads it."""
    sent = link.Snapshot(version=1, inside="", endpoints={"falcon": view})
    return snapshots.from_json(snapshots.to_json(sent)).endpoints["falcon"]


def test_everything_of_a_variant_reaches_the_gateway():
    pipeline = an_instance("i", "/run/a.sock", "127.0.0.1:20000")
    fleet = FleetView(
        variants=(
            a_view(
                instances=(pipeline,),
                weight=3.0,
                random=True,
                concurrency=7,
                hostnames=("first", "second"),
                direct=True,
                multi_model=True,
            ),
        ),
        shadows=(a_view("shadow"),),
        asynchronous=Asynchronous(output="s3://answers"),
    )
    view = routing.endpoint_view(RUNNING, fleet)
    assert through_the_link(view) == view
    (route,) = view.variants
    assert route == link.VariantRoute(
        name="blue",
        weight=3.0,
        instances=(link.InstanceRoute(id="i", addresses=("/run/a.sock", "127.0.0.1:20000")),),
        random=True,
        concurrency=7,
        hostnames=("first", "second"),
        direct=True,
        multi_model=True,
    )
    assert [shadow.name for shadow in view.shadows] == ["shadow"]
    assert view.asynchronous
    assert view.components is view.capture is view.down is None


def test_components_are_there_without_copies():
    parrot = ComponentView(variant_name="blue", route=a_view("parrot", instances=()))
    view = routing.endpoint_view(RUNNING, FleetView(variants=(), components={"parrot": parrot}))
    assert through_the_link(view) == view
    assert view.components["parrot"].variant == "blue"
    assert view.components["parrot"].route.instances == ()
    none = routing.endpoint_view(RUNNING, FleetView(variants=(), components={}))
    assert none.components == {}


def test_a_capture_that_is_turned_off_is_none():
    capture = Capture(destination="s3://captured/here", percentage=20, outputs=False)
    view = routing.endpoint_view(RUNNING, FleetView(variants=(), capture=capture))
    assert (view.capture.percentage, view.capture.inputs, view.capture.outputs) == (20, True, False)
    off = Capture(destination="s3://captured/here", percentage=20, enabled=False)
    assert routing.endpoint_view(RUNNING, FleetView(variants=(), capture=off)).capture is None


def test_what_does_not_run_says_why_and_when_to_ask_again():
    stands = Standing(
        state=State.EXPIRED, reason="expired", hint="pay", retry_after=timedelta(seconds=0.2)
    )
    view = routing.endpoint_view(stands, FleetView(variants=(a_view(),)))
    assert view == link.EndpointView(down=link.Down(reason="expired", hint="pay", retry_after=1))
    assert routing.endpoint_view(RUNNING, None) == link.EndpointView()


def test_what_is_asleep_says_that_a_request_wakes_it_and_how_long_callers_are_held():
    stands = Standing(
        state=State.ASLEEP,
        reason="asleep",
        retry_after=timedelta(seconds=3),
        wakes=True,
        hold=timedelta(seconds=90),
    )
    rules = Asynchronous(output="s3://answers")
    view = routing.endpoint_view(stands, FleetView(variants=(), asynchronous=rules))
    assert view == link.EndpointView(
        down=link.Down(reason="asleep", hint="", retry_after=3, wakes=True, hold=90),
        asynchronous=True,
    )
    assert through_the_link(view) == view
    assert not routing.endpoint_view(stands, None).asynchronous


def test_what_starts_says_when_it_is_expected_in_whole_seconds():
    at = datetime(2026, 3, 1, 12, 0, 30, 1, UTC)
    stands = Standing(
        state=State.STARTING, reason="starting", retry_after=timedelta(seconds=30), expected_at=at
    )
    view = routing.endpoint_view(stands, None)
    assert view.down.expected_at == datetime(2026, 3, 1, 12, 0, 31, tzinfo=UTC).timestamp()
    assert through_the_link(view) == view


def test_what_takes_over_reaches_the_gateway_with_its_share():
    rising = RisingView(generation=2, weight=1, parts=10, variants=(a_view(weight=3.0),))
    fleet = FleetView(variants=(a_view(),), generation=1, rising=rising)
    view = routing.endpoint_view(RUNNING, fleet)
    assert through_the_link(view) == view
    assert view.generation == 1
    assert view.rising is not None
    assert (view.rising.generation, view.rising.weight, view.rising.parts) == (2, 1, 10)
    assert [route.weight for route in view.rising.variants] == [3.0]


def test_callers_are_told_one_instant_in_their_own_time():
    """The clock of leases may be another one; the hint and `expected_at` are one second."""
    lease_time = datetime(2030, 1, 1, 12, tzinfo=UTC)
    stands = Standing(
        state=State.STARTING,
        reason="starting",
        hint=expecting(lease_time),
        retry_after=timedelta(seconds=60),
        expected_at=lease_time,
    )
    real = in_real_time(stands, datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=UTC), 60.0)
    down = routing.endpoint_view(real, None).down
    assert down.expected_at == datetime(2026, 3, 1, 9, 0, 2, tzinfo=UTC).timestamp()
    assert down.hint == "it is being started, and expected by 09:00:02 UTC; ask again then"
