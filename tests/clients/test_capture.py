"""boto3 turns on data capture and a shadow variant, and reads what was captured."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import Account, account, invalid, refusal, variant
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAPTURE: dict[str, Any] = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://captured/run-1",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}
SETTINGS = "limits: {grace_seconds: 2}\ncapture: {flush_seconds: %g, disk_percent: %g}\n"


def captured(boto: Account, name: str, variant_name: str = "AllTraffic") -> dict[str, Any]:
    """Return what was delivered, by inference id; nothing may be there twice."""
    lines = {}
    folder = boto.house.paths.objects / "captured" / "run-1" / name / variant_name
    for path in folder.rglob("*.jsonl"):
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\d\d", str(path.parent.relative_to(folder)))
        for text in path.read_text().splitlines():
            line = json.loads(text)
            assert line["eventMetadata"]["inferenceId"] not in lines
            lines[line["eventMetadata"]["inferenceId"]] = line
    return lines


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("capture"), SETTINGS % (0.5, 100)) as built:
        built.model("no-op")
        yield built


@pytest.mark.semantics("capture.line")
def test_calls_are_captured_as_the_config_says(boto: Account) -> None:
    boto.config("captured", variant(), DataCaptureConfig=CAPTURE)
    boto.endpoint("captured", "captured")
    for number in range(5):
        boto.invoke("captured", InferenceId=f"n{number}")
    wait_for(lambda: len(captured(boto, "captured")) == 5)
    line = captured(boto, "captured")["n3"]
    sent, got = (line["captureData"][key] for key in ("endpointInput", "endpointOutput"))
    assert (sent["data"], sent["encoding"]) == ('{"text": "coin"}', "JSON")
    assert json.loads(got["data"]) == {"ok": True, "n": 4}
    # Turned off by another config, nothing more is written.
    boto.config("silent", variant(), DataCaptureConfig={**CAPTURE, "EnableCapture": False})
    boto.sagemaker.update_endpoint(EndpointName="captured", EndpointConfigName="silent")
    boto.wait("captured")
    boto.invoke("captured", InferenceId="silent")
    boto.config("again", variant(), DataCaptureConfig=CAPTURE)
    boto.sagemaker.update_endpoint(EndpointName="captured", EndpointConfigName="again")
    boto.wait("captured")
    boto.invoke("captured", InferenceId="again")
    wait_for(lambda: "again" in captured(boto, "captured"))
    assert len(captured(boto, "captured")) == 6


def test_a_shadow_variant_is_tried_on_the_traffic_of_the_production_variant(boto: Account) -> None:
    boto.config(
        "shadowed",
        variant("production"),
        ShadowProductionVariants=[variant("shade")],
        DataCaptureConfig=CAPTURE,
    )
    boto.endpoint("shadowed", "shadowed")
    for number in range(5):
        answer = boto.invoke("shadowed", InferenceId=f"n{number}")
        assert answer["InvokedProductionVariant"] == "production"
    wait_for(lambda: len(captured(boto, "shadowed", "shade")) == 5)
    wait_for(lambda: len(captured(boto, "shadowed", "production")) == 5)
    one = captured(boto, "shadowed", "production")["n1"]
    other = captured(boto, "shadowed", "shade")["n1"]
    assert one["eventMetadata"]["eventId"] == other["eventMetadata"]["eventId"]
    code, message = refusal(
        boto.runtime.invoke_endpoint, EndpointName="shadowed", Body=b"", TargetVariant="shade"
    )
    assert code == "ValidationError"
    assert "shade" in message


@pytest.mark.semantics("capture.options")
def test_input_and_output_in_one_option_is_refused(boto: Account) -> None:
    both = {**CAPTURE, "CaptureOptions": [{"CaptureMode": "InputAndOutput"}]}
    told = invalid(
        boto.sagemaker.create_endpoint_config,
        EndpointConfigName="both",
        ProductionVariants=[variant()],
        DataCaptureConfig=both,
    )
    assert "InputAndOutput" in told


def test_a_killed_gateway_loses_no_line_and_a_full_disk_is_an_event(tmp_path: Path) -> None:
    with account(tmp_path, SETTINGS % (10_000, 100)) as boto:
        house = boto.house
        boto.model("no-op")
        boto.config("captured", variant(), DataCaptureConfig=CAPTURE)
        boto.endpoint("captured", "captured")
        for number in range(20):
            boto.invoke("captured", InferenceId=f"n{number}")

        def spooled() -> int:
            spools = house.paths.spools.glob("*.spool")
            return sum(path.read_bytes().count(b'"inferenceId"') for path in spools)

        wait_for(lambda: spooled() == 20)
        assert captured(boto, "captured") == {}
        house.wait_reborn("gateway", house.kill("gateway"))
        wait_for(lambda: len(captured(boto, "captured")) == 20)
        (tmp_path / "server.yaml").write_text(SETTINGS % (0.5, 0.001))
        assert house.supervisor is not None
        house.supervisor.send_signal(signal.SIGHUP)

        def told() -> list[dict[str, object]]:
            boto.invoke("captured")
            return house.events(kind="capture.off")

        (event,) = wait_for(told)
        assert event["actor"] == "gateway"
        assert "disk" in str(event["reason"])
