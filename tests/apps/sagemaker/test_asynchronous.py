"""What becomes of an asynchronous request whose caller says little."""

import pytest

from parkade.apps.sagemaker import asynchronous
from parkade.domain.catalog import Asynchronous
from tests.builders import NOW, seconds

RULES = Asynchronous(output="s3://answers/out", failure="s3://answers/failed")


@pytest.mark.semantics("async.limits")
@pytest.mark.parametrize(
    ("given", "waits", "takes"),
    [
        ({}, 21_600, 900),
        ({"RequestTTLSeconds": 60, "InvocationTimeoutSeconds": 3600}, 60, 3600),
    ],
    ids=["nothing", "both"],
)
def test_times_are_sagemakers_unless_the_caller_says_others(given, waits, takes):
    request = asynchronous._request({"EndpointName": "e", **given}, RULES, NOW)
    assert (request.expires_at, request.timeout) == (NOW + seconds(waits), takes)


def test_without_a_failure_path_there_is_no_failure_location():
    rules = Asynchronous(output="s3://answers/out")
    assert asynchronous._request({"EndpointName": "e"}, rules, NOW).failure_location == ""
