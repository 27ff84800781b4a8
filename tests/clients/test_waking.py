"""boto3, unchanged or with one hook, calls what sleeps: endpoints of all kinds wake and answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.clients.account import IMAGE, QUICK, Account, account, refusal, variant
from tests.clients.archives import MODEL, script
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b'{"text": "coin"}'
ANSWER = {"ok": True, "n": 4}
KINDS = ("plain", "streams", "hosts", "many", "later")
OPERATIONS = ("InvokeEndpoint", "InvokeEndpointWithResponseStream")


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a sleeping endpoint of each kind."""
    with account(tmp_path_factory.mktemp("waking"), QUICK) as built:
        built.model("no-op")
        built.config("plain", variant())
        built.config("hosts", variant(model=None))
        answers = "def transform_fn(model, body, kind, accept):\n    return '{\"many\": 1}'\n"
        built.house.ok("PUT", "/v1/objects/many/p/one.tar.gz", content=script(MODEL + answers))
        container = {"Image": IMAGE, "ModelDataUrl": "s3://many/p/", "Mode": "MultiModel"}
        built.sagemaker.create_model(ModelName="many", PrimaryContainer=container)
        built.config("many", variant(model="many"))
        output = {"OutputConfig": {"S3OutputPath": "s3://answers/out"}}
        built.config("later", variant(), AsyncInferenceConfig=output)
        for kind in KINDS:
            config = "plain" if kind == "streams" else kind
            built.house.park(kind, minutes=600, config=config)
        built.sagemaker.create_inference_component(
            InferenceComponentName="parrot",
            EndpointName="hosts",
            VariantName="AllTraffic",
            Specification={
                "ModelName": "no-op",
                "ComputeResourceRequirements": {
                    "NumberOfCpuCoresRequired": 1.0,
                    "MinMemoryRequiredInMb": 128,
                },
            },
            RuntimeConfig={"CopyCount": 1},
        )
        wait_for(lambda: parrot(built) == "InService")
        for kind in KINDS:
            fall_asleep(built, kind)
        yield built


def parrot(boto: Account) -> str:
    found = boto.sagemaker.describe_inference_component(InferenceComponentName="parrot")
    return str(found["InferenceComponentStatus"])


def fall_asleep(boto: Account, name: str) -> None:
    """Put it to sleep; return once nothing of it runs."""
    house = boto.house
    wait_for(lambda: house.call("POST", f"/v1/endpoints/{name}/sleep").is_success)
    house.wait_state(name, "asleep")
    wait_for(lambda: not house.ok("GET", f"/v1/endpoints/{name}").json()["instances"])


@pytest.fixture
def patient(boto: Account) -> Iterator[Account]:
    """The account, whose runtime client says for how long it is willing to wait."""

    def prefer(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["Prefer"] = "wait=600"

    events = boto.runtime.meta.events
    for operation in OPERATIONS:
        events.register(f"before-call.sagemaker-runtime.{operation}", prefer)
    yield boto
    for operation in OPERATIONS:
        events.unregister(f"before-call.sagemaker-runtime.{operation}", prefer)


def applied(answer: Any) -> Any:
    return answer["ResponseMetadata"]["HTTPHeaders"].get("preference-applied")


def test_a_hook_is_enough_to_be_held(patient: Account) -> None:
    answer = patient.invoke("plain")
    assert json.load(answer["Body"]) == ANSWER
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert applied(answer) == "wait=600"


def test_a_stream_is_held(patient: Account) -> None:
    answer = patient.runtime.invoke_endpoint_with_response_stream(EndpointName="streams", Body=BODY)
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert json.loads(b"".join(parts)) == ANSWER
    assert applied(answer) == "wait=600"


def test_a_component_wakes_with_its_endpoint(patient: Account) -> None:
    answer = patient.invoke("hosts", InferenceComponentName="parrot")
    assert json.load(answer["Body"]) == ANSWER


def test_nobody_meets_a_component_without_copies_while_its_endpoint_wakes(boto: Account) -> None:
    fall_asleep(boto, "hosts")
    headers = {"X-Amzn-SageMaker-Inference-Component": "parrot"}
    told = set()

    def served() -> bool:
        answer = boto.house.invoke("hosts", headers=headers)
        told.add(answer.status_code)
        return answer.is_success

    wait_for(served)
    assert told == {503, 200}


def test_a_target_model_is_loaded_by_who_wakes_its_endpoint(patient: Account) -> None:
    assert json.load(patient.invoke("many", TargetModel="one.tar.gz")["Body"]) == {"many": 1}


def test_a_client_that_knows_of_nothing_is_held_where_the_owner_settled_that(
    boto: Account,
) -> None:
    boto.house.park("settled", minutes=600, config="plain")
    boto.house.ok("PUT", "/v1/endpoints/settled/sleep", json={"hold_seconds": 600})
    fall_asleep(boto, "settled")
    answer = boto.invoke("settled")
    assert json.load(answer["Body"]) == ANSWER
    assert applied(answer) is None


def test_a_client_that_is_not_held_gets_sagemakers_error(boto: Account) -> None:
    boto.house.park("errs", minutes=600, config="plain")
    fall_asleep(boto, "errs")
    with pytest.raises(ClientError) as caught:
        boto.invoke("errs")
    told = caught.value.response
    assert told["Error"]["Code"] == "ServiceUnavailable"
    assert told["Error"]["Message"] == "Endpoint errs is not running: asleep."
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert int(told["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) > 0
    # It was asked for all the same.
    boto.house.wait_state("errs", "running")


def test_a_bad_signature_wakes_nothing(boto: Account) -> None:
    boto.house.park("kept", minutes=600, config="plain")
    fall_asleep(boto, "kept")
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential="
        f"{boto.session.get_credentials().access_key}/20260101/us-east-1/sagemaker/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
        "X-Amz-Date": "20260101T000000Z",
        "Prefer": "wait=600",
    }
    assert boto.house.invoke("kept", headers=headers).status_code == 403
    assert boto.house.events(kind="lease.wanted", endpoint="kept") == []
    assert boto.house.state_of("kept") == "asleep"


def test_an_asynchronous_request_is_accepted_and_wakes_its_endpoint(boto: Account) -> None:
    assert refusal(boto.runtime.invoke_endpoint, EndpointName="later", Body=BODY)[0] == (
        "ValidationError"
    )
    assert boto.house.state_of("later") == "asleep"
    accepted = boto.runtime.invoke_endpoint_async(EndpointName="later", Body=BODY)
    parts = urlsplit(accepted["OutputLocation"])

    def answered() -> Any:
        answer = boto.house.call("GET", f"/v1/objects/{parts.netloc}{parts.path}")
        return answer if answer.is_success else None

    found: Any = wait_for(answered)
    assert found.json() == ANSWER
    # What was accepted outlives everything, and wakes it then.
    fall_asleep(boto, "later")
    accepted = boto.runtime.invoke_endpoint_async(EndpointName="later", Body=BODY)
    former = boto.house.kill("control")
    boto.house.wait_reborn("control", former)
    parts = urlsplit(accepted["OutputLocation"])
    wait_for(answered)
