"""The invoker port over SageMaker's runtime."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parkade.ports.invoker import Answer

if TYPE_CHECKING:
    from parkade.adapters.aws.sagemaker.passage import Passage


class SageMakerInvoker:
    """The invoker port. Each call waits in a thread, for as long as the passage lets it."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def invoke(self, endpoint_name: str, body: bytes, content_type: str) -> Answer:
        """Return the endpoint's answer, errors of endpoint and model included.

        Raises Unavailable where the runtime cannot be reached, and Unauthenticated without
        credentials.
        """
        headers = {"content-type": content_type}
        reply = await asyncio.to_thread(self._passage.invoke, endpoint_name, body, headers)
        return Answer(
            status=reply.status,
            content_type=reply.headers.get("Content-Type", ""),
            body=reply.body,
        )
