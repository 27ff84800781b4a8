"""`testertoken`: the token that a project's tester asks with, as a resource of CloudFormation.

Secrets Manager makes the secret, nobody sees it, and what is stored beside all other tokens is its
keyed hash. It may invoke the endpoint that is tested, and nothing else; it goes with the tester.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas.customresource import DELETE, Asked, Made, answered, resource
from parkade.domain.errors import TokenNotFound
from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.services.tokens import Tokens

_ACTOR = "stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What making a token needs."""

    tokens: Tokens
    #: The text of a secret by its ARN.
    secret: Callable[[str], str]


class TesterToken:
    """Answers CloudFormation."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Make the token, or revoke it."""
        return answered(event, self._act)

    def _act(self, asked: Asked) -> Made:
        tokens = self._means.tokens
        if asked.request == DELETE:
            with contextlib.suppress(TokenNotFound):  # it was never made
                tokens.revoke(asked.id, actor=_ACTOR)
            return Made(id=asked.id)
        secret = asked.text("Secret")
        # Names are taken for ever, also those of tokens that were revoked: this secret's own.
        name = f"{asked.text('TokenName')}-{_mark(secret)}"
        if not any(each.name == name for each in tokens.all()):
            tokens.create(
                name,
                role=Role.INVOKER,
                endpoints=[asked.text("EndpointName")],
                lifetime=None,
                actor=_ACTOR,
                secret=self._means.secret(secret),
            )
        return Made(id=name)


def _mark(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def _build(settings: FunctionSettings) -> TesterToken:
    # At the first call, as all of it: what is wrong with it is that call's error.
    from parkade.adapters.aws.secrets import text  # noqa: PLC0415
    from parkade.apps.lambdas import means  # noqa: PLC0415
    from parkade.services.tokens import Tokens  # noqa: PLC0415

    account = means.account(settings)
    tokens = Tokens(
        means.tokens(settings, account),
        clock=means.clock(),
        key=lambda: means.server_key(settings, account),
    )
    return TesterToken(Means(tokens=tokens, secret=lambda arn: text(account, arn)))


handler = resource(_build)
