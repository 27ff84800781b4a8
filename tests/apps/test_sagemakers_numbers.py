"""The numbers that hold where nobody says otherwise are SageMaker's own.

What they do is tried elsewhere, with numbers that a test can wait for.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from parkade.apps import link
from parkade.apps.gateway import objections
from parkade.apps.hostrules import host_rules
from parkade.apps.serverfile import read_server_file
from parkade.runtime import courier
from parkade.runtime.container import multi
from parkade.runtime.rules import Patience

SETTINGS = read_server_file(None)
HOST = host_rules(SETTINGS).patience


@pytest.mark.semantics("limits.body")
def test_a_body_has_6_mib() -> None:
    assert SETTINGS.limits.body_bytes == link.Limits().body_bytes == 6 * 1024**2


@pytest.mark.semantics("invoke.time_limit", "invoke.stream_time")
def test_a_model_has_60_seconds_and_a_stream_8_minutes() -> None:
    assert SETTINGS.limits.model_seconds == link.Limits().model_seconds == 60
    assert link.Limits().stream_seconds == 8 * 60


@pytest.mark.semantics("container.ping", "container.startup", "container.stop")
def test_a_worker_has_four_minutes_two_seconds_for_each_ping_and_thirty_for_its_end() -> None:
    for patience in (HOST, Patience()):
        assert patience.startup == timedelta(minutes=4)
        assert patience.ping == timedelta(seconds=2)
        assert patience.grace == timedelta(seconds=30)
        assert patience.preparation == timedelta(hours=1)
    # A worker that computes for as long as it may answers no ping meanwhile.
    assert HOST.silence > timedelta(seconds=SETTINGS.limits.model_seconds)


@pytest.mark.semantics("async.payload")
def test_an_asynchronous_payload_has_1_gib() -> None:
    assert courier.PAYLOAD_LIMIT == 1024**3


@pytest.mark.semantics("limits.serverless_payload")
def test_a_serverless_payload_has_4_mib() -> None:
    assert objections.SERVERLESS_BODY == 4 * 1024**2


@pytest.mark.semantics("container.load_time")
def test_a_container_of_many_models_has_ten_minutes_for_each() -> None:
    assert multi.STARTUP_SECONDS == 600
