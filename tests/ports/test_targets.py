"""The contract of the store of target models' settings."""

from parkade.domain.targets import TargetSetting
from tests.builders import an_event
from tests.ports.stores import kinds_of


def a_setting(target="a.tar.gz", **changes):
    return TargetSetting(
        **{"endpoint_name": "many", "target": target, "pinned": True, **changes},
    )


def test_all_returns_every_setting_in_the_order_of_endpoints_and_targets(store):
    settings = [
        a_setting("b.tar.gz"),
        a_setting("a/b.tar.gz", pinned=False, ttl_minutes=2.5),
        a_setting("z.tar.gz", endpoint_name="few", ttl_minutes=1.0),
    ]
    for setting in settings:
        store.targets.put(setting, an_event("target.set"))
    assert store.targets.all() == [settings[2], settings[1], settings[0]]


def test_put_stores_over_the_setting_of_the_target_with_its_event(store):
    store.targets.put(a_setting(), an_event("target.set"))
    changed = a_setting(pinned=False, ttl_minutes=3.0)
    store.targets.put(changed, an_event("target.set"))
    assert store.targets.all() == [changed]
    assert kinds_of(store.history) == ["target.set"] * 2


def test_a_setting_that_says_nothing_is_forgotten(store):
    store.targets.put(a_setting(), an_event("target.set"))
    store.targets.put(a_setting(pinned=False), an_event("target.set"))
    assert store.targets.all() == []
    assert kinds_of(store.history) == ["target.set"] * 2
