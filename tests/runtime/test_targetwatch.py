"""What becomes of loaded target models whose objects go or change, that are idle, or pinned."""

import asyncio
from datetime import timedelta

import pytest

from parkade.domain.targets import TargetSetting
from parkade.runtime.tallies import TargetUse
from parkade.runtime.targetwatch import TargetRules, TargetWatch
from tests.builders import minutes, seconds
from tests.runtime.many import PREFIX, until, yard
from tests.runtime.test_placement import wanted


def run(folder, test, *, rules=None, prefixes=(PREFIX,), **options):
    async def main():
        async with yard(folder, **options) as built:
            watch = TargetWatch(
                built.placement,
                built.data,
                built.clock,
                rules=lambda: rules or TargetRules(),
                settings=lambda: tuple(built.settings.values()),
                prefixes=lambda: prefixes,
            )
            await test(built, watch)

    asyncio.run(main())


def ask(yard, target, **changes):
    yard.settings["many", target] = TargetSetting(endpoint_name="many", target=target, **changes)


def test_copies_of_a_deleted_object_go_everywhere(tmp_path):
    async def test(yard, watch):
        yard.put("a", "a")
        yard.put("b", "b")
        for target in ("a", "b"):
            await yard.placement.load(wanted(target))
        await yard.placement.load(wanted("a", further=True))
        yard.objects.delete("models", "many/a")
        await watch.look()
        assert yard.holders("a") == []
        left = [text for each in yard.containers.values() for text in each.contents()]
        assert left == ["b"]
        assert len(yard.data.all()) == 1

    run(tmp_path, test, rooms=(9, 9))


def test_a_replaced_object_is_loaded_before_the_former_one_goes(tmp_path):
    async def test(yard, watch):
        yard.put("a", "former")
        await yard.placement.load(wanted("a"))
        yard.put("a", "present")
        yard.board.log.clear()
        await watch.look()
        assert yard.containers["a"].contents() == ["present"]
        assert yard.board.log == [("placed", "a", "a"), ("withdrawn", "a", "a")]
        assert [kind for kind, _ in yard.containers["a"].log] == ["load", "load", "unload"]
        assert len(yard.data.all()) == 1
        await watch.look()
        assert len(yard.containers["a"].log) == 3

    run(tmp_path, test)


def test_a_replaced_object_gets_in_where_there_is_room_for_one(tmp_path):
    async def test(yard, watch):
        yard.put("a", "former")
        await yard.placement.load(wanted("a"))
        yard.put("a", "present")
        await watch.look()
        assert yard.containers["a"].contents() == ["present"]

    run(tmp_path, test, rooms=(1,))


def test_a_broken_replacement_leaves_the_former_model_serving(tmp_path):
    async def test(yard, watch):
        yard.put("a", "former")
        await yard.placement.load(wanted("a"))
        yard.put("a", b"broken")
        await watch.look()
        await watch.look()
        assert yard.holders("a") == ["a"]
        assert yard.containers["a"].contents() == ["former"]

    run(tmp_path, test)


@pytest.mark.parametrize("of", ["the server", "the model"])
def test_a_model_goes_when_its_time_to_live_is_over(tmp_path, of):
    rules = TargetRules(idle=minutes(2) if of == "the server" else None)

    async def test(yard, watch):
        yard.put("a")
        if of == "the model":
            ask(yard, "a", ttl_minutes=2.0)
        await yard.placement.load(wanted("a"))
        yard.clock.advance(minutes(1))
        use = TargetUse(
            endpoint_name="many",
            variant_name="AllTraffic",
            instance_id="a",
            target="a",
            invocations=1,
            age=20,
        )
        yard.placement.used("gateway-1", [use])
        yard.clock.advance(minutes(1))
        await watch.look()
        assert yard.holders("a") == ["a"]
        yard.clock.advance(seconds(41))
        await watch.look()
        assert yard.holders("a") == []
        # It stays on disk, so that it is soon back.
        assert len(yard.data.all()) == 1

    run(tmp_path, test, rules=rules)


def test_a_pinned_model_is_loaded_and_outlives_its_time(tmp_path):
    async def test(yard, watch):
        yard.put("a")
        ask(yard, "a", pinned=True)
        await watch.look()
        assert yard.holders("a") == ["a"]
        yard.clock.advance(minutes(9))
        await watch.look()
        assert yard.holders("a") == ["a"]
        # A worker that was restarted gets it again.
        yard.placement.settle([])
        yard.containers["a"].models.clear()
        yard.placement.settle(yard.places())
        await until(yard.placement.shelves)
        await watch.look()
        assert yard.holders("a") == ["a"]

    run(tmp_path, test, rules=TargetRules(idle=minutes(2)))


def test_a_pin_without_an_object_harms_nobody(tmp_path):
    async def test(yard, watch):
        ask(yard, "a", pinned=True)
        await watch.look()
        assert yard.holders("a") == []

    run(tmp_path, test)


def test_a_load_that_hangs_keeps_nobody_from_being_looked_after(tmp_path):
    async def test(yard, watch):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        yard.put("pinned")
        ask(yard, "pinned", pinned=True)
        yard.containers["a"].go.clear()
        await watch.look(limit=0.05)
        yard.objects.delete("models", "many/a")
        await watch.look(limit=0.05)
        await until(lambda: not yard.holders("a"))
        assert not yard.holders("pinned")
        yard.containers["a"].go.set()
        await until(lambda: yard.holders("pinned"))

    run(tmp_path, test)


def test_what_belongs_to_no_endpoint_is_removed(tmp_path):
    async def test(yard, watch):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        yard.placement.settle([])
        await watch.look()
        assert yard.data.all() == ()

    run(tmp_path, test, prefixes=("s3://models/other",))


def test_the_watch_takes_up_changes_by_itself(tmp_path):
    async def test(yard, watch):
        yard.put("a")
        await yard.placement.load(wanted("a"))
        watching = asyncio.create_task(watch.run())
        yard.objects.delete("models", "many/a")
        await until(lambda: not yard.holders("a"))
        watching.cancel()
        await asyncio.wait([watching])

    run(tmp_path, test, rules=TargetRules(removed=timedelta(seconds=0.2)))
