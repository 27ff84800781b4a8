"""Stores a packed model in the project's bucket, under the key that its content gives.

It is a custom resource: the deployment has uploaded the archive as an asset, and S3 copies it to where
models are read from. An archive stays when nothing in the file needs it any more: instances that
are added to an endpoint that still serves the former model read it again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.s3.copying import copy
from parkade.apps.lambdas.customresource import DELETE, Asked, Made, answered, resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings

logger = logging.getLogger(__name__)


class Archiving:
    """Answers CloudFormation."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Store the archive, unless it is there."""
        return answered(event, self._act)

    def _act(self, asked: Asked) -> Made:
        if asked.request == DELETE:
            logger.info("%s stays", asked.id)
            return Made(id=asked.id)
        target = asked.text("Target")
        new = copy(self._account, asked.text("Source"), target, asked.text("Digest"))
        logger.info("%s is stored%s", target, "" if new else " already")
        return Made(id=target)


def _build(settings: FunctionSettings) -> Archiving:
    return Archiving(Account(region=settings.region))


handler = resource(_build)
