"""ARNs of what SageMaker keeps, in this account and region."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account

ENDPOINT, CONFIG, MODEL = "endpoint", "endpoint-config", "model"


class Arns:
    """Writes ARNs. The account's number is asked for once, when the first one is needed."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def of(self, kind: str, name: str) -> str:
        """Return the ARN of what has this kind and name. Raises what `Account.number` raises."""
        return f"{self._begin}:{kind}/{name}"

    @cached_property
    def _begin(self) -> str:
        partition = self._account.client("sagemaker").meta.partition
        return f"arn:{partition}:sagemaker:{self._account.region}:{self._account.number()}"


def name_in(arn: str) -> str:
    """Return the name that ends an ARN."""
    return arn.partition("/")[2]
