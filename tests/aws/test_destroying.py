"""When the stacks go, leases end and their endpoints are deleted: nothing goes on running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aws.waiting import wait_for

if TYPE_CHECKING:
    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws


def test_no_endpoint_on_the_meter_outlives_its_stack(walk: Walk) -> None:
    walk.config("left-over")
    form = {"EndpointName": "left-over", "EndpointConfigName": "left-over", "minutes": 600}
    walk.ok("POST", "/endpoint-expiry", json=form)
    walk.wait("left-over")
    metered = {each["EndpointName"] for each in walk.ok("GET", "/endpoint-expiry")}
    assert "left-over" in metered
    walk.running.destroy()
    for name in metered:
        wait_for(lambda name=name: walk.status(name) in {None, "Deleting"}, why=f"{name} to go")
