"""The checks of scaling: what is gone, what stays suspended, what cannot work."""

import pytest

from parkade.domain.audit.finding import Mending
from parkade.domain.audit.survey import Gone
from parkade.domain.scaling.target import Resource, Suspended
from tests.builders import (
    NOW,
    a_blueprint,
    a_component,
    a_config,
    a_lease,
    a_model,
    a_variant,
    an_endpoint,
)
from tests.domain.audit.surveys import found, the_one
from tests.domain.scaling.cases import a_policy, a_target, some_steps

BLUE = Resource("falcon", "blue")
ADAPTER = Resource("adapter")
ALL = Suspended(scale_in=True, scale_out=True, scheduled=True)
#: An endpoint that runs by its lease, with all that it is made of.
SOUND = {
    "endpoints": {"falcon": an_endpoint()},
    "leases": {"falcon": a_lease()},
    "blueprints": {"falcon": (a_blueprint(config=a_config(variants=(a_variant("blue"),))),)},
    "configs": {"falcon-config": a_config(variants=(a_variant("blue"),))},
    "models": {"falcon-model": a_model()},
}


def scaled(resource=BLUE, **changes):
    return {"scaled": {resource.id: a_target(resource=resource, **changes)}}


def test_what_is_there_may_be_scaled():
    components = {"adapter": a_component("adapter")}
    assert found(**SOUND, **scaled()) == []
    assert found(**SOUND, components=components, **scaled(ADAPTER)) == []


def test_what_is_leased_and_not_there_stays_scaled():
    stopped = {key: value for key, value in SOUND.items() if key not in {"endpoints", "blueprints"}}
    lease = {"falcon": a_lease(ended="stopped", ended_at=NOW)}
    assert found(**{**stopped, "leases": lease}, **scaled()) == []


@pytest.mark.parametrize(
    ("resource", "gone"),
    [
        (Resource("kiwi", "blue"), "endpoint kiwi is gone"),
        (Resource("falcon", "red"), "variant red of falcon is gone"),
        (Resource("none"), "inference component none is gone"),
    ],
)
def test_what_is_gone_is_deregistered_on_request(resource, gone):
    finding = the_one(**SOUND, **scaled(resource))
    assert finding.id == f"scaling.orphaned:{resource.id}"
    assert finding.text.endswith(gone)
    assert finding.mending is Mending.FIX


def test_what_undo_could_bring_back_is_left_to_people():
    remains = {"falcon": Gone(removed_at=NOW, blueprint=a_blueprint())}
    finding = the_one(remains=remains, **scaled())
    assert finding.mending is Mending.BY_HAND
    assert "parkade undo" in finding.hint


def test_what_a_deployment_left_suspended_is_told():
    finding = the_one(**SOUND, **scaled(suspended=ALL), suspended_by={BLUE.id: "d-1"})
    assert finding.id == f"scaling.suspended:{BLUE.id}"
    assert "deployment d-1" in finding.text
    assert finding.hint.startswith("parkade scale resume falcon")


@pytest.mark.parametrize("suspended", [Suspended(), Suspended(scale_in=True, scheduled=True)])
def test_what_people_have_suspended_is_their_own(suspended):
    assert found(**SOUND, **scaled(suspended=suspended), suspended_by={BLUE.id: "d-1"}) == []
    assert found(**SOUND, **scaled(suspended=ALL)) == []


def test_steps_that_no_alarm_leads_to_are_told():
    policy = a_policy("up", steps=some_steps((1, 0.0, None)), resource=BLUE)
    policies = {"policies": {policy.key: policy}}
    finding = the_one(**SOUND, **scaled(), **policies)
    assert finding.id == f"policy.no_alarm:{policy.key}"
    leading = {"high": frozenset({policy.key})}
    assert found(**SOUND, **scaled(), **policies, leading=leading) == []
    tracking = a_policy(resource=BLUE)
    assert found(**SOUND, **scaled(), policies={tracking.key: tracking}) == []


def test_alarms_that_lead_to_nothing_are_told():
    leading = {"high": frozenset({"endpoint/falcon/variant/blue:gone"})}
    finding = the_one(**SOUND, leading=leading)
    assert (finding.id, finding.mending) == ("alarm.no_policy:high", Mending.BY_HAND)
    finding = the_one(**SOUND, leading=leading, own_alarms=frozenset({"high"}))
    assert finding.mending is Mending.FIX
