"""One endpoint as SageMaker describes it, for who remembers nothing of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker import descriptions
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.errors import EndpointNotFound

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.adapters.aws.account import Account
    from parkade.domain.endpoint import ObservedEndpoint


def observed(account: Account, name: str, now: datetime) -> ObservedEndpoint | None:
    """Return how an endpoint is now; None where there is none. Raises what `calling` raises."""
    try:
        with calling(f"endpoint {name!r} cannot be described", meaning):
            told = account.client("sagemaker").describe_endpoint(EndpointName=name)
    except EndpointNotFound:
        return None
    return descriptions.sight(told, {}, None, now).observed
