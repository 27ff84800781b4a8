"""A real AWS client of a whole Parkade, and what its tests need to stand on."""

from __future__ import annotations

import io
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from parkade.runtime import packing
from tests.house import NO_OP, PATIENCE, House, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = "sagemaker-scikit-learn:1.2"
REGION = "us-east-1"
#: A house that is quick to let go.
QUICK = "limits:\n  grace_seconds: 2\n"


class Account:
    """The clients of one token of one house, and what they make."""

    def __init__(self, built: House, secret: str | None = None) -> None:
        self.house = built
        self._clients: list[Any] = []
        self._others: list[Account] = []
        key = built.ok(
            "POST", "/v1/aws-key", headers={"Authorization": secret or built.token}
        ).json()
        self.session = boto3.session.Session(
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            region_name=REGION,
        )
        self.sagemaker = self._client("sagemaker")
        self.runtime = self._client("sagemaker-runtime")

    def _client(self, service: str) -> Any:
        # What is wrong is to be found by the server; a mistake is to show at once.
        config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            connect_timeout=PATIENCE,
            read_timeout=PATIENCE,
        )
        made = self.session.client(service, endpoint_url=self.house.url, config=config)
        self._clients.append(made)
        return made

    def close(self) -> None:
        """Close the connections that its clients keep."""
        for each in (*self._others, *self._clients):
            each.close()

    def other(self, name: str, *, role: str, endpoints: tuple[str, ...] = ()) -> Account:
        """Return the account of a new token."""
        form = {"name": name, "role": role, "endpoints": list(endpoints)}
        made = Account(self.house, self.house.ok("POST", "/v1/tokens", json=form).json()["token"])
        self._others.append(made)
        return made

    # -- what there is to be -----------------------------------------------------------------

    def push(self, name: str, folder: Path = NO_OP) -> str:
        """Put a packed model into the objects folder; return its address."""
        archive = self.house.state.parent / f"{name}.tar.gz"
        packing.pack(folder, archive)
        self.house.ok("PUT", f"/v1/objects/models/{name}.tar.gz", content=archive.read_bytes())
        return f"s3://models/{name}.tar.gz"

    def model(self, name: str, folder: Path = NO_OP) -> None:
        container = {"Image": IMAGE, "ModelDataUrl": self.push(name, folder)}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container)

    def config(self, name: str, *variants: dict[str, Any], **members: Any) -> None:
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants), **members
        )

    def endpoint(self, name: str, config: str, **members: Any) -> None:
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **members)
        self.wait(name)

    def status(self, name: str) -> str:
        return str(self.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])

    def wait(self, name: str, status: str = "InService") -> dict[str, Any]:
        found = wait_for(
            lambda: (
                (answer := self.sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"]
                == status
                and answer
            ),
            why=f"{name} to be {status}",
        )
        assert isinstance(found, dict)
        return found

    def delete(self, name: str) -> None:
        self.sagemaker.delete_endpoint(EndpointName=name)
        self.wait_gone(name)

    def wait_gone(self, name: str) -> None:
        def gone() -> bool:
            try:
                self.sagemaker.describe_endpoint(EndpointName=name)
            except ClientError as error:
                return "Could not find" in error.response["Error"]["Message"]
            return False

        wait_for(gone, why=f"{name} to be gone")

    def invoke(self, name: str, **members: Any) -> Any:
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=b'{"text": "coin"}', ContentType="application/json", **members
        )
        # Read to its end, so that the connection goes back to its pool.
        return {**answer, "Body": io.BytesIO(answer["Body"].read())}


def variant(
    name: str = "AllTraffic", model: str | None = "no-op", **members: Any
) -> dict[str, Any]:
    given = {"VariantName": name, "InstanceType": "ml.c5.xlarge", "InitialInstanceCount": 1}
    return {**given, **({"ModelName": model} if model else {}), **members}


@contextmanager
def account(folder: Path, settings: str = QUICK) -> Iterator[Account]:
    """Give the admin's account of a house of its own."""
    (folder / "server.yaml").write_text(settings)
    with (
        house(folder / "state", "--config", str(folder / "server.yaml")) as built,
        closing(Account(built)) as made,
    ):
        yield made


def refusal(method: Any, /, **given: Any) -> tuple[str, str]:
    """Call what is to be refused; return the error's code and message."""
    with pytest.raises(ClientError) as caught:
        method(**given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def invalid(method: Any, /, **given: Any) -> str:
    """Call what is to be refused as invalid; return the message."""
    code, message = refusal(method, **given)
    assert code == "ValidationException", message
    return message


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:000000000000:{kind}/{name}"
