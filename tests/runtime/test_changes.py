"""Every change of a real endpoint's status is an event of EventBridge's shape."""

import asyncio

import pytest

from parkade.domain.eventbridge import Origin, rendered
from parkade.ports.events import EventQuery
from tests.runtime.premises import gone, in_service, running, status, until

ORIGIN = Origin(account="000000000000", region="eu-west-1", source_id="here")
STATE, DEPLOYMENT = "State", "Deployment State"


def told(home):
    """Return what was told of endpoints so far: which of both kinds, and the status."""
    events = home.history.read(EventQuery(kinds=("endpoint.",), limit=1000))
    envelopes = [rendered(event, ORIGIN) for event in events]
    assert all(each["source"] == "aws.sagemaker" for each in envelopes)
    return [
        (
            each["detail-type"].removeprefix("SageMaker Endpoint ").removesuffix(" Change"),
            each["detail"]["EndpointStatus"],
        )
        for each in envelopes
    ]


def details(home):
    events = home.history.read(EventQuery(kinds=("endpoint.",), limit=1000))
    return [rendered(event, ORIGIN)["detail"] for event in events]


@pytest.mark.semantics("events.state_change")
def test_a_life_with_an_update_is_told_status_by_status(home):
    async def story():
        async with running(home) as host:
            home.store.put_tags("endpoint", "falcon", {"team": "a"})
            home.deploy(host)
            await in_service(host)
            host.update_endpoint("falcon", home.configure(host, "next", instances=2), "bob")
            await in_service(host)
            host.delete_endpoint("falcon", "ann")
            home.store.put_tags("endpoint", "falcon", {})
            await gone(host)

    asyncio.run(story())
    assert told(home) == [
        (STATE, "CREATING"),
        (STATE, "IN_SERVICE"),
        (STATE, "UPDATING"),
        (DEPLOYMENT, "UPDATING"),
        (STATE, "IN_SERVICE"),
        (STATE, "DELETING"),
        (STATE, "DELETED"),
    ]
    assert [each["EndpointConfigName"] for each in details(home)] == [
        *["falcon-config"] * 3,
        *["next-config"] * 4,
    ]
    assert all(each["Tags"] == {"team": "a"} for each in details(home))
    created = {each["CreationTime"] for each in details(home)}
    changed = [each["LastModifiedTime"] for each in details(home)]
    assert len(created) == 1
    assert changed == sorted(changed)


@pytest.mark.semantics("events.state_change")
def test_a_rollback_and_a_failure_are_told_with_their_reason(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="first life only")
            await in_service(host)
            host.reweigh("falcon", {"blue": 3}, {}, "ann")
            await in_service(host)
            home.deploy(host, name="broken", MODE="broken")
            await until(lambda: status(host, "broken") == "Failed")

    asyncio.run(story())
    assert told(home) == [
        (STATE, "CREATING"),
        (STATE, "IN_SERVICE"),
        (STATE, "UPDATING"),
        (STATE, "ROLLING_BACK"),
        (STATE, "IN_SERVICE"),
        (STATE, "CREATING"),
        (STATE, "FAILED"),
    ]
    assert "could not be brought up" in details(home)[3]["FailureReason"]
    assert details(home)[-1]["FailureReason"]
