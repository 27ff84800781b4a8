"""The caller port over InvokeEndpoint: a tester that asks an endpoint by its name."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.endpoint import SERVING
from parkade.domain.errors import EndpointNotFound, ParkadeError
from parkade.domain.tester.shot import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.passage import Passage

#: How the runtime calls an answer of the model that is no good one.
_MODEL_ERROR = "ModelError"


class EndpointCaller:
    """The caller port. botocore's connections are shared by the callers of a passage."""

    def __init__(self, passage: Passage, endpoint_name: str, headers: Mapping[str, str]) -> None:
        """`headers` go with each call: what steers it, by the names that they have in HTTP."""
        self._passage = passage
        self._endpoint_name = endpoint_name
        self._headers = {name.lower(): value for name, value in headers.items()}

    async def open(self) -> None:
        """Connect with the first call: botocore does not ahead of it."""

    async def call(self, body: bytes, content_type: str) -> Reply:
        """Ask, and return once the last byte of the answer is there."""
        headers = {**self._headers, "content-type": content_type}
        try:
            answer = await asyncio.to_thread(
                self._passage.invoke, self._endpoint_name, body, headers
            )
        except ParkadeError as error:
            return Reply(status=0, trouble=error.message)
        if answer.error == _MODEL_ERROR:
            return _of_model(answer.body)
        kind = answer.headers.get("Content-Type", "")
        return Reply(status=answer.status, content_type=kind, body=answer.body)

    async def close(self) -> None:
        """Leave the connection to the others."""


def _of_model(body: bytes) -> Reply:
    """Return what the model itself has answered: the runtime tells of it within an error of its own."""
    told = json.loads(body)
    return Reply(
        status=int(told.get("OriginalStatusCode", 0)),
        body=str(told.get("OriginalMessage", "")).encode(),
    )


def absent(account: Account, endpoint_name: str) -> str:
    """Return why an endpoint does not serve, for people; empty: it does."""
    try:
        with calling(f"endpoint {endpoint_name!r} cannot be seen", meaning):
            told = account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
    except EndpointNotFound:
        return "it is not there"
    status = str(told["EndpointStatus"])
    return "" if status in SERVING else f"it is {status}"
