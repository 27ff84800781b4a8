"""SageMaker's statuses and the ways between them."""

import pytest

from parkade.domain.endpoint import SERVING, TRANSIENT, EndpointStatus, lawful

WAYS = {
    "Creating": {"InService", "Failed"},
    "InService": {"Updating", "SystemUpdating", "Deleting", "OutOfService"},
    "Updating": {"InService", "RollingBack", "UpdateRollbackFailed", "Failed"},
    "SystemUpdating": {"InService", "Failed"},
    "RollingBack": {"InService", "UpdateRollbackFailed"},
    "UpdateRollbackFailed": {"Updating", "Deleting"},
    "OutOfService": {"InService", "Deleting"},
    "Failed": {"Deleting"},
    "Deleting": set(),
}


@pytest.mark.semantics("states.ways")
@pytest.mark.parametrize("status", list(EndpointStatus))
def test_each_status_leads_where_sagemakers_leads(status):
    assert {after for after in EndpointStatus if lawful(status, after)} == WAYS[status]


def test_every_lasting_status_can_be_deleted():
    resting = set(EndpointStatus) - TRANSIENT
    assert all(lawful(status, EndpointStatus.DELETING) for status in resting)


def test_an_endpoint_that_is_failed_or_begun_serves_nobody():
    for status in ("Failed", "Creating", "Deleting", "OutOfService"):
        assert status not in SERVING
