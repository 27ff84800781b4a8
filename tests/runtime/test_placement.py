"""Placement: which target model is loaded where. Containers are real servers, see `many`."""

import asyncio
import re

import pytest

from parkade.domain.errors import InvalidInput, ObjectNotFound, StartFailed, Unavailable
from parkade.domain.targets import TargetSetting
from parkade.runtime import refusals
from parkade.runtime.placement import Wanted
from parkade.runtime.tallies import TargetUse
from tests.builders import seconds
from tests.runtime.many import until, yard


def wanted(target, **changes):
    return Wanted(endpoint_name="many", variant_name="AllTraffic", target=target, **changes)


def used(target, instance="a", **changes):
    return TargetUse(
        endpoint_name="many",
        variant_name="AllTraffic",
        instance_id=instance,
        target=target,
        **{"invocations": 1, "hits": 1, **changes},
    )


def run(folder, test, **options):
    async def main():
        async with yard(folder, **options) as built:
            await test(built)

    asyncio.run(main())


@pytest.mark.semantics("multi.names", "multi.path")
def test_a_model_is_fetched_unpacked_loaded_and_shown(tmp_path):
    async def test(yard):
        yard.put("x/a.tar.gz", "the text")
        await yard.placement.load(wanted("x/a.tar.gz"))
        assert yard.containers["a"].contents() == ["the text"]
        assert yard.holders("x/a.tar.gz") == ["a"]
        (copy,) = yard.placement.copies()
        # The container is told another name, which says nothing of the target.
        assert list(yard.containers["a"].models) == [copy.stored.name]
        assert re.fullmatch("[0-9a-f]{16,}", copy.stored.name)
        assert copy.memory == 1000
        tally = yard.placement.tallies.of("many", "AllTraffic", "x/a.tar.gz")
        assert (tally.downloads, tally.loads, tally.unloads) == (1, 1, 0)
        assert tally.loading_us > 0

    run(tmp_path, test)


def test_all_who_want_a_model_at_a_time_load_it_once(tmp_path):
    async def test(yard):
        yard.put("a")
        await asyncio.gather(*(yard.placement.load(wanted("a")) for _ in range(20)))
        await yard.placement.load(wanted("a"))
        assert [kind for kind, _ in yard.containers["a"].log] == ["load"]

    run(tmp_path, test)


def test_models_go_to_the_instance_that_has_fewer(tmp_path):
    async def test(yard):
        for target in "uvwxyz":
            yard.put(target)
            await yard.placement.load(wanted(target))
        assert [len(each.models) for each in yard.containers.values()] == [3, 3]

    run(tmp_path, test, rooms=(100, 100))


@pytest.mark.semantics("guardrails.staged")
def test_each_generation_of_an_update_in_stages_loads_its_own_copy(tmp_path):
    async def test(yard):
        yard.put("u")
        yard.generations["b"] = 2
        yard.placement.settle(yard.places())
        await until(lambda: len(yard.placement.shelves()) == 2)
        for generation, holders in ((1, ["a"]), (2, ["a", "b"]), (0, ["a", "b"])):
            await yard.placement.load(wanted("u", generation=generation))
            assert yard.holders("u") == holders

    run(tmp_path, test, rooms=(100, 100))


def test_a_load_does_not_wait_for_another_one(tmp_path):
    async def test(yard):
        yard.put("slow")
        yard.put("quick")
        yard.containers["a"].go.clear()
        slow = asyncio.create_task(yard.placement.load(wanted("slow")))
        await until(lambda: yard.containers["a"].log)
        await yard.placement.load(wanted("quick"))
        assert yard.holders("quick") == ["b"]
        assert not slow.done()
        yard.containers["a"].go.set()
        await slow

    run(tmp_path, test, rooms=(100, 100))


@pytest.mark.semantics("multi.spread")
def test_a_busy_model_spreads_until_it_is_everywhere(tmp_path):
    async def test(yard):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        await yard.placement.load(wanted("a", further=True))
        assert yard.holders("a") == ["a", "b"]
        await yard.placement.load(wanted("a", further=True))
        assert [len(each.log) for each in yard.containers.values()] == [1, 1]

    run(tmp_path, test, rooms=(100, 100))


@pytest.mark.semantics("multi.pressure")
def test_where_memory_is_short_the_model_unused_for_longest_gives_way(tmp_path):
    async def test(yard):
        for target in "abc":
            yard.put(target, target)
        await yard.placement.load(wanted("a"))
        yard.clock.advance(seconds(1))
        await yard.placement.load(wanted("b"))
        yard.clock.advance(seconds(1))
        yard.placement.used("gateway-1", [used("a")])
        await yard.placement.load(wanted("c"))
        assert yard.containers["a"].contents() == ["a", "c"]
        # It left the gateways before the container.
        assert yard.board.log.index(("withdrawn", "a", "b")) < yard.board.log.index(
            ("placed", "a", "c")
        )

    run(tmp_path, test, rooms=(2,))


def test_a_busy_model_stays_where_another_can_go(tmp_path):
    async def test(yard):
        for target in "abc":
            yard.put(target, target)
        await yard.placement.load(wanted("a"))
        yard.clock.advance(seconds(1))
        await yard.placement.load(wanted("b"))
        yard.placement.used("gateway-1", [used("a", in_flight=1, age=1)])
        await yard.placement.load(wanted("c"))
        assert yard.containers["a"].contents() == ["a", "c"]

    run(tmp_path, test, rooms=(2,))


def test_a_model_in_use_is_not_unloaded_before_its_requests_are_answered(tmp_path):
    async def test(yard):
        yard.put("a", "a")
        yard.put("b", "b")
        await yard.placement.load(wanted("a"))
        yard.board.busy["a"] = asyncio.Event()
        loading = asyncio.create_task(yard.placement.load(wanted("b")))
        await until(lambda: ("withdrawn", "a", "a") in yard.board.log)
        assert yard.containers["a"].contents() == ["a"]
        yard.board.busy["a"].set()
        await loading
        assert yard.containers["a"].contents() == ["b"]

    run(tmp_path, test, rooms=(1,))


def test_a_pinned_model_never_gives_way(tmp_path):
    async def test(yard):
        for target in "abc":
            yard.put(target, target)
        yard.settings["many", "a"] = TargetSetting(endpoint_name="many", target="a", pinned=True)
        await yard.placement.load(wanted("a"))
        yard.clock.advance(seconds(1))
        await yard.placement.load(wanted("b"))
        await yard.placement.load(wanted("c"))
        assert yard.containers["a"].contents() == ["a", "c"]
        yard.settings["many", "c"] = TargetSetting(endpoint_name="many", target="c", pinned=True)
        with pytest.raises(Unavailable, match="pinned"):
            await yard.placement.load(wanted("b"))

    run(tmp_path, test, rooms=(2,))


def test_a_model_goes_to_an_instance_without_pins_where_there_is_one(tmp_path):
    async def test(yard):
        for target in "abc":
            yard.put(target, target)
        yard.settings["many", "a"] = TargetSetting(endpoint_name="many", target="a", pinned=True)
        await yard.placement.load(wanted("a"))
        await yard.placement.load(wanted("b"))
        await yard.placement.load(wanted("c"))
        assert [each.contents() for each in yard.containers.values()] == [["a"], ["c"]]

    run(tmp_path, test, rooms=(1, 1))


def test_a_model_that_never_fits_is_refused_with_the_containers_words(tmp_path):
    async def test(yard):
        yard.put("a")
        with pytest.raises(StartFailed, match=r"no memory for 'a'.*there is no room"):
            await yard.placement.load(wanted("a"))

    run(tmp_path, test, rooms=(0,))


def test_a_name_that_a_container_keeps_of_a_failed_load_is_freed(tmp_path):
    async def test(yard):
        for target in "ab":
            yard.put(target, target)
        yard.containers["a"].keeps_names = True
        await yard.placement.load(wanted("a"))
        await yard.placement.load(wanted("b"))
        assert yard.containers["a"].contents() == ["b"]

    run(tmp_path, test, rooms=(1,))


@pytest.mark.semantics("multi.load")
def test_a_name_that_is_half_loaded_is_loaded_anew(tmp_path):
    async def test(yard):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        (copy,) = yard.placement.copies()
        container = yard.containers["a"]
        yard.placement.lost("a", "a", copy.stored.name)
        container.kept.add(container.models.pop(copy.stored.name) and copy.stored.name)
        await yard.placement.load(wanted("a"))
        assert container.contents() == ["one"]

    run(tmp_path, test)


def test_a_missing_object_is_refused_by_bucket_and_key_and_asked_for_again(tmp_path):
    async def test(yard):
        with pytest.raises(ObjectNotFound, match="'many/x/a' in bucket 'models'"):
            await yard.placement.load(wanted("x/a"))
        yard.put("x/a")
        await yard.placement.load(wanted("x/a"))

    run(tmp_path, test)


@pytest.mark.parametrize("target", ["../a", "", "x/../../a"])
def test_a_target_elsewhere_is_refused(tmp_path, target):
    async def test(yard):
        with pytest.raises(InvalidInput, match="TargetModel"):
            await yard.placement.load(wanted(target))

    run(tmp_path, test)


def test_a_broken_archive_is_not_tried_again_until_it_is_another(tmp_path):
    async def test(yard):
        yard.put("a", b"no archive")
        for _ in range(3):
            with pytest.raises(InvalidInput, match=r"s3://models/many/a\) cannot be unpacked"):
                await yard.placement.load(wanted("a"))
        yard.put("a", "whole")
        await yard.placement.load(wanted("a"))
        assert yard.containers["a"].contents() == ["whole"]

    run(tmp_path, test)


def test_what_a_script_fails_with_is_told_and_not_tried_again_for_a_while(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(refusals, "monotonic", lambda: now[0])

    async def test(yard):
        yard.put("a")
        container = yard.containers["a"]
        container.refusal = 500, {"message": "NameError: name 'x' is not defined"}
        with pytest.raises(StartFailed, match="'a' cannot be loaded: NameError"):
            await yard.placement.load(wanted("a"))
        for _ in range(2):
            # Two at a time: neither is to find the refusal away because the other looks at it.
            both = [yard.placement.load(wanted("a", further=each)) for each in (False, True)]
            for error in await asyncio.gather(*both, return_exceptions=True):
                assert isinstance(error, StartFailed)
                assert error.message.startswith("model 'a' cannot be loaded: NameError")
        assert [kind for kind, _ in container.log].count("load") == 1
        container.refusal = None
        now[0] += refusals.LASTS
        await yard.placement.load(wanted("a"))

    run(tmp_path, test)


def test_a_model_over_which_a_container_goes_away_twice_is_refused(tmp_path, monkeypatch):
    async def test(yard):
        yard.put("a")
        loads = []
        for name, container in yard.containers.items():
            container.fatal = lambda name=name: loads.append(name)
        waiting = asyncio.create_task(yard.placement.load(wanted("a")))
        await until(lambda: len(loads) == 1)
        # The other one is spared while the first one is away.
        yard.placement.settle([yard.place(name) for name in yard.containers if name not in loads])
        await asyncio.sleep(0.05)
        assert len(loads) == 1
        yard.placement.settle(yard.places())
        await until(lambda: len(loads) == 2)
        yard.placement.settle([yard.place(name) for name in yard.containers if name not in loads])
        with pytest.raises(StartFailed, match="'a' cannot be loaded: the container went away"):
            await waiting
        yard.placement.settle(yard.places())
        with pytest.raises(StartFailed):
            await yard.placement.load(wanted("a"))
        assert len(loads) == 2
        yard.put("a", "another")
        for container in yard.containers.values():
            container.fatal = None
        await yard.placement.load(wanted("a"))

    run(tmp_path, test, rooms=(100, 100))


def test_a_container_that_is_killed_while_it_loads_costs_no_model(tmp_path):
    async def test(yard):
        yard.put("a")
        container = yard.containers["a"]

        def killed():
            container.fatal = None
            yard.placement.settle([])
            asyncio.get_running_loop().call_soon(yard.placement.settle, yard.places())

        container.fatal = killed
        await yard.placement.load(wanted("a"))
        assert yard.holders("a") == ["a"]

    run(tmp_path, test)


def test_an_instance_that_went_and_came_back_during_a_download_is_not_waited_for(tmp_path):
    async def test(yard):
        yard.put("a")
        begun, go = asyncio.Event(), asyncio.Event()
        fetch = yard.data._data.fetch

        async def slowly(*arguments, **options):
            begun.set()
            await go.wait()
            return await fetch(*arguments, **options)

        yard.data._data.fetch = slowly
        loading = asyncio.create_task(yard.placement.load(wanted("a")))
        await begun.wait()
        (former,) = yard.placement.shelves()
        yard.placement.settle([])
        yard.placement.settle(yard.places())
        await until(lambda: yard.placement.shelves() not in {(), (former,)})
        go.set()
        async with asyncio.timeout(30):
            await loading
        assert yard.holders("a") == ["a"]
        assert yard.containers["a"].contents() == ["one"]

    run(tmp_path, test)


def test_a_worker_that_was_restarted_has_nothing_loaded(tmp_path):
    async def test(yard):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        yard.placement.settle([])
        assert yard.holders("a") == []
        yard.containers["a"].models.clear()
        waiting = asyncio.create_task(yard.placement.load(wanted("a")))
        yard.placement.settle(yard.places())
        await waiting
        assert yard.holders("a") == ["a"]

    run(tmp_path, test)


@pytest.mark.semantics("multi.list")
def test_control_that_comes_back_takes_up_what_is_loaded(tmp_path):
    async def test(yard):
        for target in "abcde":
            yard.put(target)
            await yard.placement.load(wanted(target))
        await yard.placement.close()
        yard.board.shown.clear()
        yard.containers["a"].models["stranger"] = "/nowhere"
        loads = len(yard.containers["a"].log)
        await yard.begin()
        assert sorted(target for _, target in yard.board.shown) == list("abcde")
        assert yard.containers["a"].log[loads:] == [("unload", "stranger")]

    run(tmp_path, test)


def test_a_model_that_its_container_has_lost_is_loaded_again(tmp_path):
    async def test(yard):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        (copy,) = yard.placement.copies()
        yard.containers["a"].models.clear()
        yard.placement.lost("a", "a", copy.stored.name)
        await yard.placement.load(wanted("a"))
        assert len(yard.containers["a"].models) == 1

    run(tmp_path, test)


@pytest.mark.semantics("multi.cache_disabled")
def test_a_model_that_is_not_to_stay_leaves_nothing(tmp_path):
    async def test(yard):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        (copy,) = yard.placement.copies()
        yard.placement.finished("a", "a", copy.stored.name)
        await until(lambda: not yard.data.all())
        assert yard.containers["a"].models == {}
        await until(lambda: not [*(tmp_path / "targets" / "data").iterdir()])
        await yard.placement.load(wanted("a"))
        assert len(yard.containers["a"].models) == 1

    run(tmp_path, test, caches=False)


def test_uses_are_added_up_by_model(tmp_path):
    async def test(yard):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        yard.placement.used("gateway-1", [used("a", model_us=10), used("a", hits=0, waiting_us=5)])
        tally = yard.placement.tallies.of("many", "AllTraffic", "a")
        assert (tally.invocations, tally.hit_ratio, tally.model_us, tally.waiting_us) == (
            2,
            0.5,
            10,
            5,
        )

    run(tmp_path, test)
