"""Updates in stages: canary, linear, rolling, with bakes, alarms, and a host that is killed."""

import asyncio
import os
import signal

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.domain.alarm import State
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlarmNotFound,
    Conflict,
    EndpointNotFound,
    InvalidInput,
    ResourceLimitExceeded,
)
from parkade.domain.rollout import Kind, Size, Strategy
from tests.builders import NOW, a_config, seconds
from tests.runtime.premises import (
    Home,
    alive,
    an_archive,
    gone,
    in_service,
    pids,
    running,
    status,
    until,
)

CANARY = Strategy(kind=Kind.CANARY, step=Size(percent=10), wait=seconds(300))
LINEAR = Strategy(kind=Kind.LINEAR, step=Size(percent=50), wait=seconds(60))
ROLLING = Strategy(kind=Kind.ROLLING, step=Size(instances=1), wait=seconds(60))
GUARDED = Strategy(
    kind=Kind.CANARY, step=Size(percent=10), wait=seconds(300), alarms=("errors", "latency")
)


@pytest.fixture
def home(tmp_path):
    """A home whose clock is moved by hand."""
    home = Home(tmp_path)
    home.clock = ManualClock(NOW)
    home.alarms = {"errors": State.OK, "latency": State.INSUFFICIENT_DATA}
    yield home
    home.close()


async def begun(home, host, strategy, *, old=2, new=2, **environment):
    """Deploy, and begin to update by the strategy; return what ran before."""
    home.deploy(host, instances=old)
    await in_service(host)
    before = pids(host)
    config = home.configure(host, "next", instances=new, **environment)
    host.update_endpoint("falcon", config, "ann", strategy=strategy)
    return before


def rollout(host):
    return host.description("falcon").recorded.rollout


def shares(host):
    """Return weight and parts of what rises, and how many instances serve of either."""
    fleet = host.fleets()["falcon"]
    old = len(fleet.variants[0].instances)
    rising = fleet.rising
    if rising is None:
        return None, (old, 0)
    return rising.weight / rising.parts, (old, len(rising.variants[0].instances))


async def stage(host, wanted, taken):
    await until(lambda: (r := rollout(host)) and (r.stage, r.taken) == (wanted, taken))


def runs(host):
    return host.description("falcon").recorded.config_name


@pytest.mark.semantics("guardrails.staged")
def test_a_canary_bakes_before_all_requests_go_over(home):
    async def story():
        async with running(home) as host:
            old = await begun(home, host, CANARY)
            assert shares(host) == (None, (2, 0))
            await stage(host, "baking", 1)
            assert shares(host) == (0.1, (2, 2))
            assert (host.observed()["falcon"].healthy, host.observed()["falcon"].wanted) == (4, 4)
            home.clock.advance(seconds(299))
            assert (status(host), shares(host)) == ("Updating", (0.1, (2, 2)))
            home.clock.advance(seconds(1))
            await stage(host, "baking", 2)
            assert shares(host) == (1.0, (2, 2))
            assert runs(host) == "falcon-config"
            assert all(alive(pid) for pid in old)
            home.clock.advance(seconds(300))
            await in_service(host)
            assert (runs(host), shares(host)) == ("next-config", (None, (2, 0)))
            assert not any(alive(pid) for pid in old)
            recorded = host.description("falcon").recorded
            assert (recorded.rollout, recorded.strategy) == (None, CANARY)
        assert home.kinds("endpoint.")[2:] == [
            "endpoint.updating",
            *["endpoint.rollout"] * 4,
            "endpoint.switched",
            "endpoint.in_service",
        ]

    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
def test_linear_goes_over_step_by_step_and_keeps_the_old_for_its_termination_wait(home):
    strategy = Strategy(
        kind=Kind.LINEAR, step=Size(percent=50), wait=seconds(60), termination_wait=seconds(600)
    )

    async def story():
        async with running(home) as host:
            old = await begun(home, host, strategy, old=1, new=1)
            await stage(host, "baking", 1)
            assert shares(host) == (0.5, (1, 1))
            home.clock.advance(seconds(60))
            await stage(host, "baking", 2)
            home.clock.advance(seconds(60))
            await stage(host, "terminating", 2)
            assert shares(host) == (1.0, (1, 1))
            assert alive(old[0])
            home.clock.advance(seconds(600))
            await in_service(host)
            assert not alive(old[0])

    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
def test_rolling_adds_a_batch_before_as_much_of_the_old_leaves(home):
    """Three instances: never more than one beyond, and shares that follow the instances."""

    async def story():
        async with running(home) as host:
            await begun(home, host, ROLLING, old=3, new=3)
            for batch in (1, 2, 3):
                await stage(host, "baking", batch)
                share, counts = shares(host)
                assert (share, counts) == (pytest.approx(batch / 3), (4 - batch, batch))
                assert len(home.store.instances().records) == 4
                home.clock.advance(seconds(60))
            await in_service(host)
            assert (runs(host), shares(host)) == ("next-config", (None, (3, 0)))
            assert len(home.store.instances().records) == 3

    # Both fleets together would have no room here.
    home.rules = type(home.rules)(workers=4, patience=home.rules.patience)
    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
@pytest.mark.parametrize("where", ["baking", "terminating"])
def test_an_alarm_turns_it_back_for_as_long_as_the_old_fleet_is_there(home, where):
    strategy = Strategy(
        wait=seconds(60 if where == "baking" else 0),
        termination_wait=seconds(60),
        alarms=("errors",),
    )

    async def story():
        async with running(home) as host:
            old = await begun(home, host, strategy)
            await stage(host, where, 1)
            assert shares(host) == (1.0, (2, 2))
            home.sound("latency")
            home.sound("errors")
            await in_service(host)
            assert (runs(host), shares(host)) == ("falcon-config", (None, (2, 0)))
            assert set(pids(host)) == set(old)
            why = host.observed()["falcon"].failure_reason
            assert why == (
                "endpoint config next-config was rolled back, falcon-config serves on: "
                "alarm 'errors' went off"
            )
            assert "endpoint.update_failed" in home.kinds("endpoint.")

    asyncio.run(story())


def test_an_alarm_that_nobody_named_turns_nothing_back(home):
    async def story():
        async with running(home) as host:
            await begun(home, host, GUARDED)
            await stage(host, "baking", 1)
            home.sound("another")
            home.sound("errors", State.INSUFFICIENT_DATA)
            home.clock.advance(seconds(300))
            await stage(host, "baking", 2)

    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
def test_alarms_are_looked_at_before_it_begins(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            home.alarms["errors"] = State.ALARM
            with pytest.raises(Conflict, match="alarm 'errors' is in ALARM already"):
                host.update_endpoint("falcon", "falcon-config", "ann", strategy=GUARDED)
            del home.alarms["errors"]
            with pytest.raises(AlarmNotFound, match="'errors'"):
                host.update_endpoint("falcon", "falcon-config", "ann", strategy=GUARDED)
            assert status(host) == "InService"

    asyncio.run(story())


@pytest.mark.parametrize("removed", [False, True])
def test_what_went_off_while_no_host_was_there_turns_it_back(home, removed):
    async def story():
        first = home.host()
        await first.start()
        old = await begun(home, first, GUARDED)
        await stage(first, "baking", 1)
        await first.abandon()
        if removed:
            del home.alarms["latency"]
        else:
            home.alarms["latency"] = State.ALARM
        async with running(home) as host:
            await in_service(host)
            assert runs(host) == "falcon-config"
            assert set(pids(host)) == set(old)
            said = "cannot be watched" if removed else "is in ALARM"
            assert f"alarm 'latency' {said}" in host.observed()["falcon"].failure_reason

    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
def test_what_takes_longer_than_its_limit_is_rolled_back(home):
    strategy = Strategy(kind=Kind.CANARY, step=Size(percent=10), limit=seconds(600))

    async def story():
        async with running(home) as host:
            old = await begun(home, host, strategy, MODE="silent")
            await until(lambda: len(home.clock.sleepers) == 1)
            home.clock.advance(seconds(600))
            await in_service(host)
            assert set(pids(host)) == set(old)
            assert "longer than 600 seconds" in host.observed()["falcon"].failure_reason

    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
def test_a_worker_that_falls_after_it_has_served_turns_it_back(home):
    async def story():
        async with running(home) as host:
            old = await begun(home, host, CANARY, new=1, MODE="first life only")
            await stage(host, "baking", 1)
            (new,) = set(pids(host)) - set(old)
            os.kill(new, signal.SIGKILL)
            await in_service(host)
            assert runs(host) == "falcon-config"
            assert "3 times in a row" in host.observed()["falcon"].failure_reason

    asyncio.run(story())


def test_a_person_promotes_it(home):
    async def story():
        async with running(home) as host:
            await begun(home, host, GUARDED)
            await stage(host, "baking", 1)
            host.promote("falcon", "bob")
            host.promote("falcon", "bob")
            await in_service(host)
            assert runs(host) == "next-config"
            with pytest.raises(Conflict, match="no update"):
                host.promote("falcon", "bob")
            with pytest.raises(EndpointNotFound):
                host.promote("kestrel", "bob")

    asyncio.run(story())


def test_a_rolling_update_that_is_promoted_brings_up_the_rest_at_once(home):
    async def story():
        async with running(home) as host:
            await begun(home, host, ROLLING, old=4, new=4)
            await stage(host, "baking", 1)
            host.promote("falcon", "bob")
            await in_service(host)
            assert (runs(host), shares(host)) == ("next-config", (None, (4, 0)))

    asyncio.run(story())


def test_a_person_rolls_it_back(home):
    async def story():
        async with running(home) as host:
            old = await begun(home, host, CANARY)
            await stage(host, "baking", 1)
            host.roll_back("falcon", "bob", "it is too slow")
            host.roll_back("falcon", "bob", "it is too slow")
            with pytest.raises(Conflict, match="being rolled back"):
                host.promote("falcon", "ann")
            await in_service(host)
            assert set(pids(host)) == set(old)
            assert host.observed()["falcon"].failure_reason.endswith(
                "bob rolled it back: it is too slow"
            )
            with pytest.raises(Conflict, match="no update"):
                host.roll_back("falcon", "bob", "again")

    asyncio.run(story())


def test_an_update_without_stages_is_called_off_and_promoted_too(home):
    async def story():
        async with running(home) as host:
            old = await begun(home, host, None, MODE="silent")
            host.promote("falcon", "bob")
            host.roll_back("falcon", "bob", "it takes too long")
            await in_service(host)
            assert set(pids(host)) == set(old)
            assert "it takes too long" in host.observed()["falcon"].failure_reason

    asyncio.run(story())


@pytest.mark.semantics("guardrails.staged")
def test_a_rolling_update_is_rolled_back_by_batches(home):
    strategy = Strategy(
        kind=Kind.ROLLING,
        step=Size(instances=2),
        rollback_step=Size(instances=1),
        wait=seconds(60),
        alarms=("errors",),
    )
    seen = []

    async def story():
        async with running(home) as host:
            await begun(home, host, strategy, old=4, new=4)
            await stage(host, "baking", 1)
            home.clock.advance(seconds(60))
            await stage(host, "baking", 2)
            assert shares(host) == (1.0, (2, 4))

            async def noted():
                seen.append((shares(host), len(home.store.instances().records)))

            home.on_release = noted
            home.sound("errors")
            await in_service(host)
            assert (runs(host), shares(host)) == ("falcon-config", (None, (4, 0)))
            assert len(home.store.instances().records) == 4

    asyncio.run(story())
    # Requests go back as far as the old fleet can take them at once, then with each that came back.
    assert [share for (share, _), _ in seen][:3] == [0.5, 0.25, None]
    assert max(processes for _, processes in seen) <= 6


def test_old_instances_that_do_not_come_back_are_missed_and_no_more(home):
    """The rollback ends with those that are there; the others are started again and again."""
    strategy = Strategy(
        kind=Kind.ROLLING, step=Size(instances=1), wait=seconds(60), alarms=("errors",)
    )

    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            await in_service(host)
            (folder,) = home.paths.models.iterdir()
            content = an_archive(weights="newer")
            config = home.configure(host, "next", instances=2, content=content)
            host.update_endpoint("falcon", config, "ann", strategy=strategy)
            await stage(host, "baking", 1)
            home.clock.advance(seconds(60))
            await stage(host, "baking", 2)
            (folder / "mode").write_text("broken")
            home.sound("errors")
            await until(lambda: status(host) == "InService")
            assert runs(host) == "falcon-config"
            seen = host.observed()["falcon"]
            assert "does not all come back" in seen.failure_reason
            assert (seen.healthy, seen.wanted) == (1, 2)

    asyncio.run(story())


@pytest.mark.parametrize("strategy", [CANARY, LINEAR, ROLLING], ids=["canary", "linear", "rolling"])
@pytest.mark.parametrize("at", [("rising", 0), ("shifting", 1), ("baking", 1), ("baking", 2)])
def test_a_host_that_was_killed_goes_on_from_the_record(home, strategy, at):
    async def story():
        first = home.host()
        await first.start()
        reached = asyncio.Event()
        if at[0] == "shifting":
            home.on_release = reached.wait
        await begun(home, first, strategy)
        await stage(first, *(at if at != ("baking", 2) else ("baking", 1)))
        if at == ("baking", 2):
            home.clock.advance(strategy.wait)
            await stage(first, *at)
        before, left = shares(first), set(pids(first))
        await first.abandon()
        home.on_release = _nothing
        async with running(home) as host:
            await until(lambda: rollout(host).stage in {"baking", "shifting"})
            if at[0] == "baking":
                assert shares(host) == before
                assert set(pids(host)) == left
            while status(host) == "Updating":
                await until(lambda: home.clock.sleepers or status(host) != "Updating")
                home.clock.advance(strategy.wait)
                await asyncio.sleep(0.01)
            await in_service(host)
            assert (runs(host), shares(host)) == ("next-config", (None, (2, 0)))
            assert len(home.store.instances().records) == 2

    asyncio.run(story())


async def _nothing():
    """Let go at once."""


def test_what_cannot_go_in_stages_is_refused(home):
    async def story():
        async with running(home) as host:
            await begun(home, host, None, old=1, new=1)
            await in_service(host)
            other = home.variant(host, "other", called="green")
            host.create_config(a_config("other", variants=(other,)), "ann")
            with pytest.raises(InvalidInput, match="has other variants"):
                host.update_endpoint("falcon", "other", "ann", strategy=CANARY)
            with pytest.raises(InvalidInput, match="of a variant with 1 is not 5 to 50 percent"):
                host.update_endpoint("falcon", "next-config", "ann", strategy=ROLLING)
            assert status(host) == EndpointStatus.IN_SERVICE

    asyncio.run(story())


@pytest.mark.parametrize("strategy", [CANARY, ROLLING], ids=["canary", "rolling"])
def test_who_stops_paying_does_not_wait_for_the_end_of_an_update(home, strategy):
    async def story():
        async with running(home) as host:
            await begun(home, host, strategy)
            assert host.observed()["falcon"].stoppable
            await stage(host, "baking", 1)
            host.delete_endpoint("falcon", "the meter")
            assert status(host) == "Deleting"
            host.delete_endpoint("falcon", "the meter")
            await gone(host)
            assert home.store.instances().records == ()
        assert home.kinds("endpoint.")[-4:] == [
            "endpoint.update_failed",
            "endpoint.in_service",
            "endpoint.deleting",
            "endpoint.deleted",
        ]

    asyncio.run(story())


def test_there_has_to_be_room_for_both_fleets(home):
    async def story():
        async with running(home) as host:
            with pytest.raises(ResourceLimitExceeded, match="needs 2 more workers"):
                await begun(home, host, CANARY)

    home.rules = type(home.rules)(workers=3, patience=home.rules.patience)
    asyncio.run(story())


def test_an_update_all_at_once_without_waits_goes_as_ever(home):
    async def story():
        async with running(home) as host:
            await begun(home, host, Strategy())
            assert rollout(host) is None
            await in_service(host)
            assert host.description("falcon").recorded.strategy == Strategy()
            host.update_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            assert host.description("falcon").recorded.strategy == Strategy()

    asyncio.run(story())
