"""`authorizer`: tells API Gateway who calls, and what of the API they may call.

It is a REQUEST authorizer: the token comes in the header `Authorization`, in any letter case, as it is
or after `Bearer`. Only its keyed hash is known, which is the key of one item. The answer is kept by
API Gateway for its TTL, so that a token that is revoked is refused that much later.

A policy that is too large for API Gateway names the method alone that is asked for. So what tells
answers apart in its cache has to be the header, the method and the path.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas import policy
from parkade.apps.lambdas.leanfile import ROLES, packaged
from parkade.apps.lambdas.start import Function
from parkade.domain.token import Role
from parkade.services.tokens import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.policy import Reach
    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.token import Token
    from parkade.ports.clock import Clock

logger = logging.getLogger(__name__)

#: bytes. What API Gateway takes of an authorizer: 8 KB; that these are of 1,024 is unverified, and
#: what it counts as well.
LIMIT = 8_000
#: Between the names of endpoints in the context, whose values are texts.
SEPARATOR = ","
_NO_ENDPOINTS = ""


class Unauthorized(Exception):
    """The word that API Gateway answers 401 to; it may say nothing else."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class Authorizer:
    """Answers one request for leave. `find` returns the token of a digest, if there is one."""

    def __init__(
        self,
        find: Callable[[str], Token | None],
        *,
        key: Callable[[], bytes],
        roles: Mapping[str, str],
        routes: Mapping[str, Mapping[str, object]],
        clock: Clock,
        usage_key: str = "",
    ) -> None:
        """Take the roles of the API's operations, and the model routes by their paths.

        `usage_key` is the key of the usage plan that limits everybody; empty: there is none.
        """
        self._usage_key = usage_key
        self._find = find
        self._key = key
        self._routes = routes
        self._clock = clock
        table = policy.operations(roles)
        self._reach = {role: policy.reach(table, role) for role in Role}

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Return the policy of the caller. Raises Unauthorized."""
        token = self._caller(event)
        stage, asked = _split(str(event["methodArn"]))
        reach = self._reach[token.role]
        models = policy.model_routes(self._routes, token.endpoints)
        whole = policy.Reach((*reach.allowed, *models), reach.denied)
        endpoints = SEPARATOR.join(sorted(token.endpoints))
        alone = policy.Reach((asked,)) if whole.covers(asked) else policy.Reach((), (asked,))
        answers = (
            self._answer(token, stage, whole, endpoints),
            self._answer(token, stage, alone, endpoints),
            self._answer(token, stage, alone, self._endpoint(asked, token)),
        )
        return next((each for each in answers if len(json.dumps(each)) <= LIMIT), answers[-1])

    def _caller(self, event: Mapping[str, Any]) -> Token:
        secret = _secret(event)
        if not secret:
            logger.info("no token was given")
            raise Unauthorized
        token = self._find(digest(self._key(), secret))
        if token is None:
            logger.info("the token is unknown")
            raise Unauthorized
        if not token.live(self._clock.now()):
            logger.info("token %s is revoked or expired", token.name)
            raise Unauthorized
        return token

    def _endpoint(self, asked: str, token: Token) -> str:
        """Return the endpoint that a method invokes, for a token that is limited to some."""
        if not token.endpoints:
            return _NO_ENDPOINTS
        route = self._routes.get("/" + asked.partition("/")[2])
        # A name that no endpoint has: what is limited is never told to be unlimited.
        return str(route["endpoint"]) if route else "-"

    def _answer(self, token: Token, stage: str, reach: Reach, endpoints: str) -> dict[str, Any]:
        statements = [
            {
                "Effect": effect,
                "Action": "execute-api:Invoke",
                "Resource": [f"{stage}/{end}" for end in ends],
            }
            for effect, ends in (("Allow", reach.allowed), ("Deny", reach.denied))
            if ends
        ]
        context = {
            "name": token.name,
            "role": str(token.role),
            "endpoints": endpoints,
            "starter": mark(token.name),
        }
        return {
            "principalId": token.name,
            "policyDocument": {"Version": "2012-10-17", "Statement": statements},
            "context": context,
            **({"usageIdentifierKey": self._usage_key} if self._usage_key else {}),
        }


def mark(token_name: str) -> str:
    """Return what the names of a token's executions begin with: of one length, and no other's."""
    return hashlib.sha256(token_name.encode()).hexdigest()[:32]


def _secret(event: Mapping[str, Any]) -> str:
    headers = event.get("headers") or {}
    given = next((str(v) for k, v in headers.items() if k.lower() == "authorization"), "").strip()
    scheme, _, rest = given.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else given


def _split(method_arn: str) -> tuple[str, str]:
    """Return the ARN of the stage, and what of it is asked for: `POST/falcon`."""
    api, stage, asked = method_arn.split("/", 2)
    return f"{api}/{stage}", asked


def _build(settings: FunctionSettings) -> Authorizer:
    # At the first call, as all of it: what is wrong with it is that call's error.
    from parkade.apps.lambdas import means  # noqa: PLC0415

    account = means.account(settings)
    return Authorizer(
        means.known_tokens(settings, account).find,
        key=lambda: means.server_key(settings, account),
        roles=packaged(ROLES),
        routes=settings.routes,
        clock=means.clock(),
        usage_key=settings.usage_key,
    )


handler = Function(_build)
