"""Lambda authorizers: asked for a policy, which is kept for a while and says what may be called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.aws import policies
from tests.aws.restapi import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tests.aws.restapi import Authorizer
    from tests.aws.runtime_api import Answer

UNAUTHORIZED, ACCESS_DENIED = "UNAUTHORIZED", "ACCESS_DENIED"
FAILURE, MISCONFIGURED = "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"


@dataclass(frozen=True)
class _Kept:
    policy: Mapping[str, Any]
    until: datetime


class Authorizing:
    """Asks authorizers, and remembers what they said."""

    def __init__(
        self, now: Callable[[], datetime], invoke: Callable[[str, Mapping[str, Any]], Answer]
    ) -> None:
        self._now = now
        self._invoke = invoke
        self._kept: dict[tuple[Authorizer, tuple[str, ...]], _Kept] = {}
        #: How many times an authorizer was asked.
        self.asked = 0

    def context(
        self, authorizer: Authorizer, event: Mapping[str, Any], find: Callable[[str], str | None]
    ) -> tuple[dict[str, Any], str | None]:
        """Return what `$context.authorizer` is, and the key of the caller's plan. Raises Refused.

        `find` gives the value of an identity source, such as `method.request.header.Authorization`.
        """
        values = tuple(find(source) or "" for source in authorizer.sources)
        if not all(values):
            raise Refused(UNAUTHORIZED)
        key = (authorizer, values)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._now() or not authorizer.seconds:
            kept = _Kept(
                self._asked(authorizer, event), self._now() + timedelta(seconds=authorizer.seconds)
            )
            self._kept[key] = kept
        arn = event["methodArn"]
        statements = policies.listed(kept.policy["policyDocument"]["Statement"])
        found = policies.verdict(statements, "execute-api:Invoke", arn)
        if found == policies.DENIED:
            explicit = "User is not authorized to access this resource with an explicit deny"
            raise Refused(ACCESS_DENIED, explicit)
        if found != policies.ALLOWED:
            raise Refused(ACCESS_DENIED)
        told = {"principalId": kept.policy["principalId"], **kept.policy.get("context", {})}
        return told, kept.policy.get("usageIdentifierKey")

    def _asked(self, authorizer: Authorizer, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked += 1
        answer = self._invoke(authorizer.function, event)
        if answer.failed:
            if answer.error_message == "Unauthorized":
                raise Refused(UNAUTHORIZED)
            raise Refused(FAILURE)
        policy = answer.document
        if not isinstance(policy, dict) or not {"principalId", "policyDocument"} <= set(policy):
            raise Refused(MISCONFIGURED)
        # A context of anything but texts, numbers and truths is refused by API Gateway.
        plain = all(
            isinstance(each, str | int | float | bool)
            for each in policy.get("context", {}).values()
        )
        if not plain:
            raise Refused(MISCONFIGURED)
        return policy
