"""AWS access keys: what AWS clients sign with to act as a token."""

from fastapi import Response

from parkade.apps.api.auth import Admin, Invoker
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.tokens import AwsKeyView
from parkade.apps.signing.keys import access_key
from parkade.domain.errors import Conflict
from parkade.domain.token import Token

routes = router("Tokens", "/v1")


@routes.post("/aws-key")
async def show_own_aws_key(services: Served, caller: Invoker, response: Response) -> AwsKeyView:
    """Show the AWS access key of the token that asks."""
    return _view(services, caller, response)


@routes.post("/tokens/{name}/aws-key")
async def show_aws_key(
    services: Served, _caller: Admin, name: str, response: Response
) -> AwsKeyView:
    """Show the AWS access key of any token."""
    token = services.tokens.get(name)
    if not token.live(services.wall.now()):
        raise Conflict(
            f"token {name!r} was revoked or has expired, and its AWS access key with it",
            hint="make another: parkade token create --name NAME",
        )
    return _view(services, token, response)


def _view(services: Served, token: Token, response: Response) -> AwsKeyView:
    key = access_key(services.server_key, token.digest)
    response.headers["Cache-Control"] = "no-store"
    return AwsKeyView(
        token=token.name,
        access_key_id=key.id,
        secret_access_key=key.secret,
        region=services.file().region,
    )
