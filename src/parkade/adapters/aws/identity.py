"""Who these credentials belong to, as AWS says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account


def arn(account: Account) -> str:
    """Return the ARN of the caller: `arn:aws:iam::123456789012:user/ann`.

    It needs no permission. Raises what `calling` raises.
    """
    with calling("the caller's identity cannot be asked for"):
        return str(account.client("sts").get_caller_identity()["Arn"])
