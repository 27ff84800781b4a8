"""Each check: what it finds, what it must not, and that it is silent where it cannot know."""

from datetime import timedelta
from decimal import Decimal

import pytest

from parkade.domain.audit import CHECKS, findings
from parkade.domain.audit.finding import Kind, Mending
from parkade.domain.audit.survey import Gone, Process, Watched
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.lease import EndReason
from parkade.domain.price import Sum
from parkade.domain.scaling.target import Resource, Suspended
from parkade.domain.subscriber import Progress
from parkade.domain.targets import TargetSetting
from tests.builders import (
    NOW,
    a_blueprint,
    a_component,
    a_config,
    a_lease,
    a_model,
    a_variant,
    a_watch,
    an_endpoint,
    minutes,
)
from tests.domain.audit.surveys import a_survey, found, the_one
from tests.domain.scaling.cases import a_policy, a_target, some_steps

LONG_AGO = NOW - timedelta(days=90)
DATA = "s3://models/falcon.tar.gz"


def leased(**changes):
    return {"falcon": a_lease(**changes)}


def ended(at=LONG_AGO, **changes):
    return leased(ended=EndReason.EXPIRED, ended_at=at, expires_at=at, **changes)


def running(**changes):
    return {"falcon": an_endpoint(**changes)}


#: All that belongs to one endpoint that runs by its lease.
SOUND = {
    "endpoints": running(),
    "leases": leased(),
    "blueprints": {"falcon": (a_blueprint(),)},
    "configs": {"falcon-config": a_config()},
    "models": {"falcon-model": a_model()},
    "alarms": {"busy": (Watched(endpoint_name="falcon", variant_name="blue"),)},
    "routes": {"/falcon": "falcon"},
    "tags": {"falcon": {"auto-maintain": "true"}},
    "watches": {"falcon": a_watch()},
    "targets": (TargetSetting(endpoint_name="falcon", target="a.tar.gz", pinned=True),),
    "processes": (Process(pid=7, instance_id="i-1", started_at=NOW, memory=0),),
    "instances": frozenset({"i-1"}),
    "progress": {"ann": Progress(subscriber="ann", number=7)},
    "letters": {"ann": 0},
}


def test_nothing_is_found_where_all_is_well():
    assert found(**SOUND) == []


def test_an_endpoint_without_a_lease_and_what_it_costs():
    finding = the_one(
        endpoints=running(created_at=LONG_AGO), hourly={"falcon": Sum(usd=Decimal(2))}
    )
    assert finding.id == "endpoint.unmetered:falcon"
    assert (finding.since, finding.hourly) == (LONG_AGO, Sum(usd=Decimal(2)))
    assert finding.mending is Mending.BY_HAND
    assert "parkade add falcon --config falcon-config" in finding.hint


def test_an_endpoint_that_goes_needs_no_lease():
    assert found(endpoints=running(status=EndpointStatus.DELETING)) == []


@pytest.mark.parametrize("status", [EndpointStatus.FAILED, EndpointStatus.OUT_OF_SERVICE, None])
def test_time_that_is_paid_for_while_nothing_runs(status):
    endpoints = {"falcon": an_endpoint(status, failure_reason="no room")} if status else {}
    lease = leased(
        refused_at=None if status else NOW - minutes(3), failure="" if status else "no room"
    )
    finding = the_one(leases=lease, endpoints=endpoints, configs={"falcon-config": a_config()},
                      models={"falcon-model": a_model()})  # fmt: skip
    assert finding.id == "lease.not_running:falcon"
    assert "30 min more" in finding.text
    assert "no room" in finding.text


def test_what_was_just_paid_for_may_take_its_time_to_start():
    assert found(leases=leased(created_at=NOW - minutes(0.5))) == []
    assert found(leases=leased(created_at=NOW - minutes(5))) == ["lease.not_running:falcon"]


def test_a_lease_that_is_over_for_long():
    finding = the_one(leases=ended(owner="bob"))
    assert finding.id == "lease.stale:falcon"
    assert finding.since == LONG_AGO
    assert found(leases=ended(NOW - timedelta(days=29))) == []
    assert found(leases=ended(), booked={"falcon": ["falcon-config"]}) == []


def test_a_worker_that_no_endpoint_has():
    processes = [
        Process(pid=pid, instance_id=instance, started_at=NOW, memory=3 * 1024**2)
        for pid, instance in ((7, "i-1"), (8, "i-2"), (9, "i-2"))
    ]
    finding = the_one(processes=processes, instances=frozenset({"i-1"}))
    assert finding.id == "worker.stray:i-2"
    assert "process 8, 9, 6 MiB" in finding.text
    assert finding.mending is Mending.FIX


def test_a_config_whose_model_is_gone_and_who_needs_it():
    configs = {"falcon-config": a_config()}
    finding = the_one(configs=configs, leases=ended(NOW))
    assert finding.id == "config.broken:falcon-config"
    assert "falcon could not start again" in finding.text


def test_a_model_whose_data_is_gone_if_a_config_names_it():
    models = {"falcon-model": a_model()}
    configs = {"falcon-config": a_config()}
    booked = {"falcon": ["falcon-config"]}
    absent = frozenset({DATA})
    assert found(models=models, configs=configs, booked=booked, absent=absent) == [
        "model.data_missing:falcon-model"
    ]
    assert found(models=models, configs=configs, booked=booked) == []
    assert found(models=models, absent=absent) == ["model.unused:falcon-model"]


def test_an_endpoint_that_could_not_be_brought_back():
    remains = {"falcon": Gone(removed_at=LONG_AGO, blueprint=a_blueprint())}
    finding = the_one(remains=remains, absent=frozenset({DATA}))
    assert finding.id == "undo.broken:falcon"
    assert found(remains=remains) == []
    assert "undo.broken:falcon" not in found(remains=remains, absent=frozenset({DATA}), **{
        key: SOUND[key] for key in ("endpoints", "leases")
    })  # fmt: skip


def test_subscribers_that_take_nothing_and_letters_that_wait():
    failing = Progress(subscriber="ann", number=7, failing_since=NOW - minutes(9), cause="HTTP 500")
    finding = the_one(progress={"ann": failing})
    assert finding.id == "subscriber.failing:ann"
    assert "9 min: HTTP 500" in finding.text
    assert the_one(letters={"ann": 2}).text.startswith("2 events")


@pytest.mark.parametrize(
    ("watched", "told"),
    [
        (Watched(endpoint_name="gone"), "endpoint gone"),
        (Watched(endpoint_name="falcon", variant_name="red"), "variant red of falcon"),
        (Watched(component_name="parrot"), "inference component parrot"),
    ],
)
def test_an_alarm_on_what_is_gone(watched, told):
    finding = the_one(**{**SOUND, "alarms": {"late": (watched,)}})
    assert finding.id == "alarm.orphaned:late"
    assert told in finding.text
    assert finding.mending is Mending.FIX


@pytest.mark.parametrize(
    "watched",
    [
        (),
        (Watched(endpoint_name="falcon"),),
        (Watched(endpoint_name="gone"), Watched(endpoint_name="falcon")),
        (Watched(component_name="macaw"),),
    ],
)
def test_an_alarm_with_anything_to_watch_stays(watched):
    components = {"macaw": a_component("macaw")}
    assert found(**{**SOUND, "alarms": {"late": watched}, "components": components}) == []


def test_an_alarm_of_an_endpoint_that_is_stopped_stays():
    stopped = {**SOUND, "endpoints": {}, "blueprints": {}, "leases": ended(NOW)}
    assert found(**stopped) == []
    red = {"late": (Watched(endpoint_name="falcon", variant_name="red"),)}
    assert found(**{**stopped, "alarms": red}) == ["alarm.orphaned:late"]


def test_an_alarm_whose_endpoint_can_be_brought_back_is_left_to_a_person():
    gone = {"gone": Gone(removed_at=NOW, blueprint=a_blueprint())}
    finding = the_one(alarms={"late": (Watched(endpoint_name="gone"),)}, remains=gone)
    assert finding.mending is Mending.BY_HAND


def test_what_outlived_its_endpoint():
    without = {**SOUND, "endpoints": {}, "leases": {}, "blueprints": {}, "alarms": {}}
    assert found(**without) == [
        "route.dangling:/falcon",
        "tags.orphaned:falcon",
        "watch.orphaned:falcon",
        "target.orphaned:falcon/a.tar.gz",
        "config.unused:falcon-config",
    ]
    booked = found(**without, booked={"falcon": ["falcon-config"]})
    assert booked == []


def test_settings_of_target_models_stay_as_long_as_undo_can_bring_the_endpoint_back():
    targets = SOUND["targets"]
    remains = {"falcon": Gone(removed_at=NOW, blueprint=a_blueprint())}
    assert found(targets=targets, remains=remains) == []
    assert found(targets=targets) == ["target.orphaned:falcon/a.tar.gz"]


def test_what_nothing_uses_is_deleted_only_where_that_is_asked_for():
    configs, models = {"falcon-config": a_config()}, {"falcon-model": a_model()}
    unused = the_one(configs=configs, models=models)
    assert unused.id == "config.unused:falcon-config"
    assert unused.mending is Mending.FIX_UNUSED
    assert the_one(models=models).mending is Mending.FIX_UNUSED


@pytest.mark.parametrize(
    "user",
    [
        {"leases": ended(NOW)},
        {"endpoints": running(), "leases": leased()},
        {"booked": {"falcon": ["falcon-config"]}},
        {"blueprints": {"old": (a_blueprint(),)}},
        {"deploying": frozenset({"falcon-config"})},
        {"ready": frozenset({"falcon-config"})},
    ],
)
def test_a_config_that_anything_names_is_used(user):
    assert "config.unused:falcon-config" not in found(configs={"falcon-config": a_config()}, **user)


def test_a_config_that_a_deployment_made_goes_with_its_endpoint():
    made = {"configs": {"falcon-config": a_config()}, "deployed": {"falcon-config": "falcon"}}
    unused = "config.unused:falcon-config"
    assert unused in found(**made)
    assert unused not in found(**made, damaged=frozenset({"falcon"}))


@pytest.mark.parametrize(
    "user",
    [
        {"configs": {"falcon-config": a_config()}, "leases": ended(NOW)},
        {"blueprints": {"falcon": (a_blueprint(),)}},
        {"components": {"parrot": a_component("parrot")}},
    ],
)
def test_a_model_that_anything_names_is_used(user):
    assert found(models={"falcon-model": a_model()}, **user) == []


def test_what_cannot_be_read_is_a_finding():
    finding = the_one(unread={"the leases": "disk I/O error"}, partial=frozenset({"leases"}))
    assert finding.id == "unreadable:the leases"
    assert "disk I/O error" in finding.text


def test_a_damaged_lease_is_one_all_the_same():
    damaged = {"damaged": frozenset({"falcon"}), "partial": frozenset({"lease_terms"})}
    without = {key: value for key, value in SOUND.items() if key != "leases"}
    assert found(**without, **damaged) == []


#: Scaling of what is gone, all of it suspended, with steps that no alarm leads to.
GONE = Resource("gone", "blue")
ALL = Suspended(scale_in=True, scale_out=True, scheduled=True)
STEPS = a_policy("up", steps=some_steps((1, 0.0, None)), resource=GONE)
SCALED = {
    "scaled": {GONE.id: a_target(resource=GONE, suspended=ALL)},
    "suspended_by": {GONE.id: "d-1"},
    "policies": {STEPS.key: STEPS},
    "leading": {"low": frozenset({"endpoint/gone/variant/blue:none"})},
}


#: A survey in which every check but that of the unreadable finds something.
ROTTEN = {
    "endpoints": {"kiwi": an_endpoint(name="kiwi", config_name="")},
    "leases": {
        "falcon": a_lease(refused_at=NOW, failure="no room", config_name="broken"),
        "old": a_lease(endpoint_name="old", ended=EndReason.EXPIRED, expires_at=LONG_AGO),
    },
    "configs": {
        "broken": a_config("broken", variants=(a_variant(model_name="gone"),)),
        "spare": a_config("spare"),
    },
    "models": {"falcon-model": a_model(), "spare-model": a_model("spare-model")},
    "absent": frozenset({DATA}),
    "remains": {"emu": Gone(removed_at=NOW, blueprint=a_blueprint())},
    "alarms": {"late": (Watched(endpoint_name="gone"),)},
    **SCALED,
    "routes": {"/gone": "gone"},
    "tags": {"gone": {"a": "b"}},
    "watches": {"gone": a_watch(endpoint_name="gone")},
    "targets": (TargetSetting(endpoint_name="gone", target="a.tar.gz", pinned=True),),
    "processes": (Process(pid=7, instance_id="i-9", started_at=NOW, memory=0),),
    "progress": {"ann": Progress(subscriber="ann", number=7, failing_since=NOW)},
    "letters": {"ann": 1},
}


def test_every_kind_is_some_check_s():
    kinds = {each.kind for each in findings(a_survey(**ROTTEN, unread={"a": "b"}))}
    assert kinds == set(Kind)
    assert len(CHECKS) == len(Kind)


@pytest.mark.parametrize(
    ("part", "silent"),
    [
        ("leases", {"endpoint.unmetered", "config.unused", "alarm.orphaned", "route.dangling",
                    "tags.orphaned", "watch.orphaned", "target.orphaned", "scaling.orphaned"}),
        ("endpoints", {"config.unused", "lease.not_running", "lease.stale", "alarm.orphaned", "route.dangling",
                       "tags.orphaned", "watch.orphaned", "target.orphaned", "scaling.orphaned"}),
        ("booked", {"config.unused", "alarm.orphaned", "route.dangling", "tags.orphaned",
                    "watch.orphaned", "target.orphaned", "scaling.orphaned"}),
        ("blueprints", {"config.unused", "model.unused", "alarm.orphaned", "scaling.orphaned"}),
        ("remains", {"alarm.orphaned", "route.dangling", "target.orphaned", "scaling.orphaned"}),
        ("deployments", {"scaling.suspended", "config.unused"}),
        ("policies", {"policy.no_alarm", "alarm.no_policy"}),
        ("alarms", {"policy.no_alarm", "alarm.no_policy"}),
        ("lease_terms", {"config.unused"}),
        ("ready", {"config.unused"}),
        ("components", {"model.unused", "alarm.orphaned", "scaling.orphaned"}),
        ("configs", {"model.unused"}),
        ("models", {"config.broken"}),
        ("instances", {"worker.stray"}),
        ("absent", {"model.data_missing", "undo.broken"}),
    ],
)  # fmt: skip
def test_a_check_is_silent_where_what_it_needs_could_not_be_read(part, silent):
    told = {each.kind for each in findings(a_survey(**ROTTEN, partial=frozenset({part})))}
    assert told.isdisjoint(silent)


def test_the_worst_comes_first_and_names_are_in_order():
    told = findings(a_survey(**ROTTEN))
    order = list(Kind)
    assert [order.index(each.kind) for each in told] == sorted(
        order.index(each.kind) for each in told
    )
    assert all(each.text and each.hint for each in told)
    assert all(bool(each.mends) is (each.mending is not Mending.BY_HAND) for each in told)
