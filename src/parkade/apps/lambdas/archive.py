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
from parkade.apps.lambdas.customresource import DELETE, Asked, Made, answered
from parkade.apps.lambdas.start import Call, Function

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.settings import FunctionSettings

logger = logging.getLogger(__name__)


def build(settings: FunctionSettings) -> Callable[[Any, Call], Any]:
    """Return what answers CloudFormation."""
    account = Account(region=settings.region)

    def act(asked: Asked) -> Made:
        if asked.request == DELETE:
            logger.info("%s stays", asked.id)
            return Made(id=asked.id)
        target = asked.text("Target")
        new = copy(account, asked.text("Source"), target, asked.text("Digest"))
        logger.info("%s is stored%s", target, "" if new else " already")
        return Made(id=target)

    return lambda event, _call: answered(event, act)


handler = Function(build)
