"""The command env: how other programs of this shell find the server, AWS clients among them."""

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from parkade.apps import settings
from parkade.apps.cli import options, render
from parkade.apps.cli.client import Client
from parkade.domain.errors import InvalidInput, Unavailable

#: SageMaker's Python SDK asks AWS itself, at addresses of its own, for what this does not say.
_SDK_DEFAULTS = Path(__file__).with_name("sagemaker-sdk.yaml")


class Format(StrEnum):
    """Who is to read the variables."""

    SH = "sh"
    FISH = "fish"
    DOTENV = "dotenv"
    JSON = "json"


def env(
    *,
    aws: Annotated[
        bool, options.flag("--aws", help="Print what AWS clients need to use this server.")
    ] = False,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="With --aws: act as this token; else as the one in use here."
        ),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="The shell, or kind of file, to print for.")
    ] = Format.SH,
    state: options.State = None,
) -> None:
    """Print PARKADE_URL and PARKADE_TOKEN, or what AWS clients need, for a shell to export.

    [dim]Example:[/dim] eval "$(parkade env --aws)"
    """
    if token is not None and not aws:
        raise InvalidInput("--token goes with --aws", field="token", hint="add --aws")
    if aws:
        _print(_of_aws(state, token), form)
    else:
        _print(_of_parkade(state), form)


def _of_parkade(state: Path | None) -> dict[str, str]:
    paths = settings.state_paths(state)
    # What the shell has already must not answer for the state folder.
    found = settings.client_settings(paths, environment={})
    if not found.token:
        raise Unavailable(
            f"there is no admin token in {paths.state}",
            hint="it is made by the first: parkade up; or name another folder with --state",
        )
    return {"PARKADE_URL": found.url, "PARKADE_TOKEN": found.token}


def _of_aws(state: Path | None, token: str | None) -> dict[str, str]:
    # A folder that is named is the one that is meant, whatever the shell has already.
    chosen: dict[str, str] | None = None if state is None else {}
    found = settings.client_settings(settings.state_paths(state), environment=chosen)
    with Client(found) as client:
        key = client.post("aws-key") if token is None else client.post("tokens", token, "aws-key")
    url = _for_aws(found.url)
    return {
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        # One that the shell may have is of another account, and nothing to send here.
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": key["region"],
        "AWS_DEFAULT_REGION": key["region"],
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_ENDPOINT_URL_S3": f"{url}/s3",
        "AWS_ENDPOINT_URL_STS": f"{url}/sts",
        "AWS_ENDPOINT_URL_CLOUDWATCH": url,
        "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": url,
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(_SDK_DEFAULTS),
        # There are no policies to look into; the SDK would ask AWS's IAM for them.
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }


def _for_aws(url: str) -> str:
    """Return the server's address as AWS clients need it.

    With a number for the host, S3 clients put the bucket into the path and not before the name;
    and what is signed is the path as the server sees it, without the prefix `/prod`.
    """
    parts = urlsplit(url)
    host = parts.netloc
    if parts.hostname == "localhost":
        host = "127.0.0.1" if parts.port is None else f"127.0.0.1:{parts.port}"
    path = parts.path.rstrip("/").removesuffix("/prod")
    return urlunsplit((parts.scheme, host, path, "", ""))


def _print(variables: dict[str, str], form: Format) -> None:
    if form is Format.JSON:
        render.machine(variables)
        return
    for name, value in variables.items():
        render.line(_LINES[form](name, value))


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _dotenv(name: str, value: str) -> str:
    plain = not value or shlex.quote(value) == value
    return f"{name}={value if plain else json.dumps(value)}"


_LINES = {
    Format.SH: lambda name, value: f"export {name}={shlex.quote(value)}",
    Format.FISH: _fish,
    Format.DOTENV: _dotenv,
}
