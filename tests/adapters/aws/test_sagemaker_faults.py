"""SageMaker when it throttles, denies, lags, loses answers, and when there is a lot of it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from botocore.exceptions import ReadTimeoutError

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.aws.sagemaker.caller import absent
from parkade.adapters.aws.sagemaker.chronicle import Chronicle
from parkade.adapters.aws.sagemaker.machines import SageMakerMachines
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.adapters.aws.sagemaker.sight import Part, Sight
from parkade.adapters.aws.sagemaker.sights import LAG
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    Forbidden,
    InvalidInput,
    ModelNotFound,
    Throttled,
    Unavailable,
)
from parkade.domain.eventbridge import CHANGE
from parkade.domain.rollout import Strategy
from parkade.ports.events import EventQuery
from tests.adapters.aws.misbehaving import SERVING, VARIANT, Refused, SageMaker, over
from tests.builders import NOW, a_config, a_variant, minutes

THROTTLING = Refused("ThrottlingException", "Rate exceeded")
DENIAL = Refused("AccessDeniedException", "no")
DENIED = (
    "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: "
    "sagemaker:{} on resource: * because no identity-based policy allows it"
)


@pytest.fixture
def server():
    built = SageMaker()
    yield built
    built.close()


@pytest.fixture
def world(server, tmp_path, monkeypatch):
    """The adapters over the server. Between attempts nobody waits."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket.acquire", lambda *_, **__: True)
    return over(server, tmp_path)


def refuses(operation, error, times=1_000):
    """Refuse an operation so many times."""
    left = [times]

    def before(asked, _given):
        if asked == operation and left[0]:
            left[0] -= 1
            raise error

    return before


# -- throttling and time-outs


@pytest.mark.parametrize(
    "error", [THROTTLING, Refused("TooManyRequestsException", "Too many requests", 429)]
)
def test_what_is_throttled_for_a_moment_is_done(server, world, error):
    server.before = refuses("CreateEndpoint", error, times=2)
    world.hosting.create("falcon", "config")
    assert server.asked["CreateEndpoint"] == 3
    assert list(server.endpoints) == ["falcon"]


def test_what_is_throttled_throughout_says_so(server, world):
    server.before = refuses("CreateEndpoint", THROTTLING)
    with pytest.raises(Throttled, match="Rate exceeded") as throttled:
        world.hosting.create("falcon", "config")
    assert throttled.value.retry_after
    assert server.endpoints == {}


def test_a_list_that_is_throttled_is_no_list_of_nothing(server, world):
    server.place("falcon")
    server.before = refuses("ListEndpoints", THROTTLING)
    with pytest.raises(Unavailable, match="Rate exceeded"):
        world.hosting.endpoints()


def test_one_that_cannot_be_described_hides_no_other_and_is_described_later(server, world, caplog):
    server.place("falcon")
    server.place("flan")

    def before(operation, given):
        if operation == "DescribeEndpoint" and given["EndpointName"] == "falcon":
            raise THROTTLING

    server.before = before
    seen = world.hosting.endpoints()
    assert (seen["falcon"].status, seen["falcon"].config_name) == ("InService", "")
    assert seen["flan"].config_name == "config"
    assert "'falcon' cannot be described" in caplog.text
    server.before = lambda *_: None
    assert world.hosting.endpoints()["falcon"].config_name == "config"


def test_one_that_cannot_be_described_any_more_keeps_the_config_that_it_had(server, world):
    server.place("falcon")
    world.hosting.endpoints()
    server.now += 60
    server.place("falcon", status="Updating")
    server.before = refuses("DescribeEndpoint", THROTTLING)
    seen = world.hosting.endpoints()["falcon"]
    assert (seen.status, seen.config_name) == ("Updating", "config")


def test_one_that_cannot_be_described_for_a_moment_loses_nothing_that_was_known(server, world):
    world.hosting.create("falcon", "config")
    world.clock.advance(minutes(5))
    server.now += 300
    server.place("falcon")
    before = world.sights.all()["falcon"]
    machines = SageMakerMachines(world.sights, None, world.clock)
    (metered,) = machines.present()
    world.clock.advance(minutes(5))
    server.now += 300
    server.place("falcon", status="SystemUpdating")
    server.before = refuses("DescribeEndpoint", THROTTLING)
    seen = world.sights.all()["falcon"]
    assert (seen.status, seen.whole) == ("SystemUpdating", False)
    assert machines.present() == [metered]
    server.before = lambda *_: None
    server.place("falcon")
    after = world.sights.all()["falcon"]
    assert (after.known_since, after.awake_since) == (before.known_since, before.awake_since)
    assert machines.present() == [metered]


def test_an_update_that_ends_unseen_leaves_no_second_fleet(server, world):
    server.place("falcon", status="Updating")
    server.pending = {"EndpointConfigName": "other", "ProductionVariants": [SERVING]}
    assert world.sights.all()["falcon"].rising
    server.pending = None
    server.place("falcon", config="other")
    server.before = refuses("DescribeEndpoint", THROTTLING)
    seen = world.sights.all()["falcon"]
    assert (seen.rising, seen.target_config_name, seen.rollout) == ((), "", None)


def test_one_whose_config_cannot_be_read_just_now_is_described_again(server, world, caplog):
    server.place("falcon")
    server.before = refuses("DescribeEndpointConfig", THROTTLING)
    seen = world.sights.all()["falcon"]
    assert (seen.config_name, seen.whole) == ("config", False)
    assert "not known" in caplog.text
    server.before = lambda *_: None
    (part,) = world.sights.all()["falcon"].parts
    assert part.instance_type == "ml.c5.xlarge"


def test_machines_keep_their_names_when_the_config_goes_first(server, world):
    server.place("falcon")
    world.sights.all()
    del server.configs["config"]
    server.now += 60
    server.place("falcon")
    (part,) = world.sights.all()["falcon"].parts
    assert part.instance_type == "ml.c5.xlarge"


def test_a_status_that_is_not_known_here_stops_nothing_else(server, world, caplog):
    server.place("falcon", status="Hibernating")
    server.place("flan")
    seen = world.hosting.endpoints()
    assert seen["flan"].status == "InService"
    assert not seen["falcon"].stoppable
    assert "Hibernating" in caplog.text


def test_what_times_out_is_unavailable(world):
    def hang(**_):
        raise ReadTimeoutError(endpoint_url="http://sagemaker")

    events = world.account.client("sagemaker").meta.events
    events.register("before-send.sagemaker.ListEndpoints", hang)
    with pytest.raises(Unavailable, match="timeout"):
        world.hosting.endpoints()


# -- half done, and answers that were lost


def test_a_creation_whose_answer_was_lost_is_done(server, world):
    server.lost["CreateEndpoint"] = 1
    world.hosting.create("falcon", "config")
    assert server.asked["CreateEndpoint"] == 2
    assert server.endpoints["falcon"]["config"] == "config"


def test_a_deletion_whose_answer_was_lost_is_done_and_leaves_what_was(server, world):
    server.place("falcon")
    server.lost["DeleteEndpoint"] = 1
    world.hosting.delete("falcon")
    assert server.asked["DeleteEndpoint"] == 2
    assert server.endpoints == {}
    assert world.remains.get("falcon").blueprint.config.name == "config"


def a_new_config(**changes):
    return a_config("new", variants=(a_variant("main", model_name="m", **changes),))


def test_a_config_whose_answer_was_lost_was_made(server, world):
    server.lost["CreateEndpointConfig"] = 1
    world.provisioner.make_config(a_new_config(), {}, "ann")
    assert server.asked["CreateEndpointConfig"] == 2


def test_another_config_of_the_name_is_none_that_was_made_here(server, world):
    server.configs["new"] = [{"VariantName": "main", "InstanceType": "ml.g5.xlarge"}]
    server.before = refuses(
        "CreateEndpointConfig", Refused("ServiceUnavailable", "later", 503), times=1
    )
    with pytest.raises(AlreadyExists, match="new"):
        world.provisioner.make_config(a_new_config(), {}, "ann")


def test_what_is_there_already_is_not_taken_for_made_by_a_first_attempt(server, world):
    world.provisioner.make_config(a_new_config(), {}, "ann")
    with pytest.raises(AlreadyExists):
        world.provisioner.make_config(a_new_config(), {}, "ann")
    assert server.asked["CreateEndpointConfig"] == 2


def test_what_cannot_be_made_again_just_now_keeps_nobody_from_seeing(server, world, caplog):
    class Throttling(MemoryKeptStore):
        def all(self):
            raise Throttled("the table cannot be read: slow down", retry_after=minutes(1))

    server.place("falcon")
    world.hosting._aftercare = Aftercare(world.account, Throttling(), world.clock)
    assert list(world.hosting.endpoints()) == ["falcon"]
    assert "slow down" in caplog.text


class Released:
    """Aftercare that tells what was taken off, and what SageMaker had been asked for by then."""

    def __init__(self, server):
        self._server = server
        self.told = []

    def release(self, *given):
        self.told.append((given, self._server.asked["UpdateEndpoint"]))


@pytest.mark.parametrize(
    ("variant", "moved"),
    [
        ({"InstanceType": "ml.g5.xlarge"}, ["main"]),
        ({"VariantName": "other"}, ["main"]),
        ({"InitialInstanceCount": 2}, []),
    ],
)
def test_variants_that_change_their_machines_are_not_scaled_while_they_do(
    server, world, variant, moved
):
    server.configs["other"] = [{**VARIANT, **variant}]
    server.place("falcon")
    world.provisioner._aftercare = released = Released(server)
    world.provisioner.update("falcon", "other", "ann", strategy=Strategy(), keeps_counts=False)
    assert released.told == [(("falcon", NOW, moved), 0)]
    assert server.asked["UpdateEndpoint"] == 1


# -- wrong permissions


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("CreateEndpoint", lambda world: world.hosting.create("falcon", "config")),
        ("DeleteEndpoint", lambda world: world.hosting.delete("falcon")),
        ("DescribeEndpoint", lambda world: world.hosting.delete("falcon")),
        ("DescribeEndpointConfig", lambda world: world.hosting.require_config("config")),
    ],
)
def test_what_is_denied_names_the_permission(server, world, operation, call):
    server.place("falcon")
    server.before = refuses(operation, Refused("AccessDeniedException", DENIED.format(operation)))
    with pytest.raises(Forbidden) as denied:
        call(world)
    assert f"sagemaker:{operation}" in denied.value.hint
    assert server.asked[operation] == 1


@pytest.mark.parametrize("operation", ["DescribeModel", "DescribeEndpointConfig", "ListTags"])
def test_a_stop_does_not_wait_for_what_may_not_be_read(server, world, caplog, operation):
    server.place("falcon")
    server.before = refuses(operation, Refused("AccessDeniedException", "no"))
    world.hosting.delete("falcon")
    assert server.endpoints == {}
    assert (world.remains.get("falcon") is None) == (operation != "ListTags")
    assert "cannot be brought back" in caplog.text


def test_a_stop_waits_for_what_cannot_be_read_just_now(server, world):
    server.place("falcon")
    server.before = refuses("ListTags", THROTTLING)
    with pytest.raises(Throttled):
        world.hosting.delete("falcon")
    server.before = lambda *_: None
    world.hosting.delete("falcon")
    assert world.remains.get("falcon") is not None


# -- one code for many things


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('Could not find endpoint "arn:aws:sagemaker:eu-west-1:1:endpoint/model".', EndpointNotFound),
        ('Could not find endpoint configuration "arn:aws:sagemaker:a:1:endpoint-config/x".', ConfigNotFound),
        ('Could not find model "arn:aws:sagemaker:eu-west-1:1:model/endpoint".', ModelNotFound),
        ("Could not find inference component parrot", ComponentNotFound),
        ('Cannot create already existing endpoint "arn:aws:sagemaker:a:1:endpoint/x".', AlreadyExists),
        ('Cannot update in-progress endpoint "arn:aws:sagemaker:a:1:endpoint/x".', EndpointBusy),
        ('Cannot update failed endpoint "arn:aws:sagemaker:a:1:endpoint/x".', Conflict),
        ("1 validation error detected: Value at 'endpointName' failed", InvalidInput),
        ("Could not access model data at s3://bucket/model.tar.gz.", InvalidInput),
        ("Could not find image on the moon", InvalidInput),
    ],
)  # fmt: skip
def test_a_validation_exception_means_what_its_text_says(text, error):
    told = meaning("ValidationException", text)
    assert type(told or InvalidInput(text, field="request")) is error


def test_who_may_not_deregister_what_scales_an_endpoint_is_told_so():
    text = (
        "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM "
        "identity used to invoke DeleteEndpoint does not have "
        "application-autoscaling:DeregisterScalableTarget permission to deregister the scalable target."
    )
    told = meaning("ValidationException", text)
    assert type(told) is Forbidden
    assert "allow application-autoscaling:DeregisterScalableTarget" in told.hint


def test_other_codes_mean_what_they_say():
    assert meaning("AccessDeniedException", "Could not find endpoint x") is None
    assert meaning("ThrottlingException", "Could not find endpoint x") is None


def test_an_endpoint_that_cannot_be_looked_at_is_neither_gone_nor_deleted(server, world):
    server.place("falcon")
    server.before = refuses(
        "DescribeEndpoint", Refused("ValidationException", "1 validation error detected")
    )
    for call in (
        lambda: world.hosting.delete("falcon"),
        lambda: world.hosting.sleep("falcon"),
        lambda: world.provisioner.look("falcon"),
    ):
        with pytest.raises(InvalidInput):
            call()
    assert "falcon" in server.endpoints


def test_a_deletion_that_comes_too_late_for_an_update_has_to_wait(server, world):
    server.place("falcon")

    def before(operation, _given):
        if operation == "DeleteEndpoint":
            server.place("falcon", status="Updating")
            raise Refused("ValidationException", "Endpoint falcon is not in a deletable state")

    server.before = before
    with pytest.raises(EndpointBusy, match="Updating"):
        world.hosting.delete("falcon")


def test_a_deletion_that_is_refused_for_no_known_reason_says_so(server, world):
    server.place("falcon")
    server.before = refuses("DeleteEndpoint", Refused("ValidationException", "not on Sundays"))
    with pytest.raises(InvalidInput, match="not on Sundays"):
        world.hosting.delete("falcon")


# -- eventual consistency


def test_what_was_begun_is_there_although_no_list_has_it_yet(server, world):
    server.unlisted.add("falcon")
    world.hosting.create("falcon", "config")
    seen = world.hosting.endpoints()["falcon"]
    assert (seen.status, seen.config_name) == ("Creating", "config")
    server.unlisted.clear()
    assert world.hosting.endpoints()["falcon"].status is EndpointStatus.CREATING
    del server.endpoints["falcon"]
    assert world.hosting.endpoints() == {}


def test_what_is_begun_again_while_its_former_is_forgotten_is_known(server, world, monkeypatch):
    server.place("falcon")
    assert world.hosting.endpoints()["falcon"].status is EndpointStatus.IN_SERVICE
    del server.endpoints["falcon"]
    forget = world.sights._forget

    def late(gone):
        server.unlisted.add("falcon")
        world.hosting.create("falcon", "config")
        forget(gone)

    with monkeypatch.context() as patched:
        patched.setattr(world.sights, "_forget", late)
        assert world.hosting.endpoints() == {}
    assert world.hosting.endpoints()["falcon"].status is EndpointStatus.CREATING
    assert world.store.all()["falcon"].begun


def test_what_was_begun_and_never_came_is_not_waited_for_for_ever(server, world):
    server.unlisted.add("falcon")
    world.hosting.create("falcon", "config")
    world.clock.advance(LAG)
    assert world.hosting.endpoints() == {}
    assert world.store.all() == {}


def test_another_process_that_does_not_know_of_a_creation_repeats_it(server, world, tmp_path):
    server.unlisted.add("falcon")
    world.hosting.create("falcon", "config")
    other = over(server, tmp_path)
    assert other.hosting.endpoints() == {}
    other.hosting.create("falcon", "config")
    with pytest.raises(AlreadyExists, match="falcon"):
        other.hosting.create("falcon", "other")
    assert len(server.endpoints) == 1


# -- many


def test_all_pages_are_read(server, world):
    for number in range(250):
        server.place(f"endpoint-{number}")
    assert len(world.hosting.endpoints()) == 250
    assert server.asked["ListEndpoints"] == 3
    assert server.asked["DescribeEndpoint"] == 250
    pages = [given for operation, given in server.given if operation == "ListEndpoints"]
    assert [given["MaxResults"] for given in pages] == [100] * 3


def a_sight(name):
    return Sight(
        name=name,
        status=EndpointStatus.IN_SERVICE,
        created_at=NOW,
        changed_at=NOW,
        config_name="config",
        parts=(Part(name="main", instance_type="ml.c5.xlarge", current=1, desired=1),),
    )


def test_five_thousand_endpoints_cost_fifty_lists_and_a_look_at_what_has_changed(server, world):
    names = [f"endpoint-{number}" for number in range(5000)]
    for name in names:
        server.place(name)
    world.store.put([a_sight(name) for name in names])
    assert len(world.hosting.endpoints()) == 5000
    assert server.asked == {"ListEndpoints": 50}

    server.now += 60
    server.place("endpoint-7", config="other")
    assert world.hosting.endpoints()["endpoint-7"].config_name == "other"
    assert server.asked == {
        "ListEndpoints": 100,
        "DescribeEndpoint": 1,
        "DescribeEndpointConfig": 1,
    }


class Gate:
    """A lock that lets nobody in before so many have come."""

    def __init__(self, many):
        self._come = threading.Barrier(many)
        self._lock = threading.Lock()

    def __enter__(self):
        self._come.wait()
        self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()


@pytest.mark.parametrize(("failing", "passes"), [(0, 1), (1, 2)])
def test_those_who_wait_to_see_all_endpoints_see_them_by_one_pass(server, world, failing, passes):
    server.place("falcon")
    server.before = refuses("ListEndpoints", DENIAL, times=failing)
    world.sights._one_pass = Gate(4)
    with ThreadPoolExecutor(4) as threads:
        seen = [threads.submit(world.sights.all) for _ in range(4)]
        raised = [each.exception() for each in seen]
    assert sum(isinstance(each, Unavailable) for each in raised) == failing
    assert next(list(each.result()) for each in seen if not each.exception()) == ["falcon"]
    assert server.asked["ListEndpoints"] == passes
    world.sights._one_pass = Gate(1)
    server.place("flan")
    assert list(world.sights.all()) == ["falcon", "flan"]


# -- whether they serve


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("InService", ""),
        ("Updating", ""),
        # Both fleets of an update that could not be turned back answer.
        ("UpdateRollbackFailed", ""),
        ("Creating", "it is Creating"),
        (None, "it is not there"),
    ],
)
def test_what_keeps_an_endpoint_from_serving_is_told(server, world, status, why):
    if status:
        server.place("falcon", status=status)
    assert absent(world.account, "falcon") == why


# -- what has become of endpoints


def test_what_ends_is_told_once_with_how_long_it_took(server, tmp_path):
    history = MemoryHistory()
    world = over(server, tmp_path, told=Chronicle(history, ManualClock(NOW)))
    server.place("falcon", status="Creating")
    server.place("flan", status="Creating")
    world.hosting.endpoints()
    server.now += 300
    server.place("falcon")
    server.place("flan", status="Failed")
    for _ in range(2):
        world.hosting.endpoints()
    server.now += 300
    server.place("falcon", status="Updating")
    world.hosting.endpoints()
    server.now += 300
    server.place("falcon", config="other")
    del server.endpoints["flan"]
    world.hosting.endpoints()
    told = list(history.read(EventQuery()))
    assert [(event.kind, event.endpoint_name) for event in told] == [
        ("endpoint.in_service", "falcon"),
        ("endpoint.failed", "flan"),
        ("endpoint.switched", "falcon"),
        ("endpoint.deleted", "flan"),
    ]
    assert told[0].at == NOW + minutes(5)
    assert told[0].data[CHANGE]["status_before"] == "Creating"
    assert told[0].data[CHANGE]["created_at"] == "2026-03-01T12:00:00Z"


def test_what_ends_while_it_cannot_be_described_is_told_once_it_can(server, tmp_path):
    history = MemoryHistory()
    world = over(server, tmp_path, told=Chronicle(history, ManualClock(NOW)))
    server.place("falcon", status="Updating")
    world.hosting.endpoints()
    server.now += 300
    server.place("falcon", config="other")
    server.before = refuses("DescribeEndpoint", Refused("AccessDeniedException", "no"))
    world.hosting.endpoints()
    assert list(history.read(EventQuery())) == []
    server.before = lambda *_: None
    world.hosting.endpoints()
    (told,) = history.read(EventQuery())
    assert (told.kind, told.data[CHANGE]["config_name"]) == ("endpoint.switched", "other")
