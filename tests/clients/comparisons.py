"""Two models that answer nearly the same, and a command line in front of a house that runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from parkade.apps.cli.main import app
from tests.clients.account import variant
from tests.house import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.clients.account import Account

#: Model b gives another label to every fifth number, has a slightly other score for all, and cannot
#: answer 13 at all.
SCRIPT = """
import json

NAME = {name!r}

def model_fn(model_dir):
    ...

def transform_fn(model, body, content_type, accept):
    if content_type == "text/csv":
        return body, "text/csv"
    n = json.loads(body)["n"]
    other = NAME == "b"
    if other and n == 13:
        raise ValueError("unlucky")
    label = n % 3 + (other and n % 5 == 0)
    return json.dumps({{"label": label, "p": n / 100 + other / 1024, "model": NAME}})
"""
CAPTURE: dict[str, Any] = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {
        "JsonContentTypes": ["application/json"],
        "CsvContentTypes": ["text/csv"],
    },
}
SETTINGS = "limits: {grace_seconds: 2}\ncapture: {flush_seconds: 0.3, disk_percent: 100}\n"


def a_folder(path: Path, name: str) -> Path:
    """Write the folder of model a or b."""
    (path / "code").mkdir(parents=True)
    (path / "code" / "inference.py").write_text(SCRIPT.format(name=name))
    return path


def furnish(boto: Account, name: str, *, shadow: bool = False) -> None:
    """Run an endpoint with variants a and b, or with b as the shadow of a; its calls are captured."""
    capture = {**CAPTURE, "DestinationS3Uri": f"s3://captured/{name}"}
    if shadow:
        shade = {"ShadowProductionVariants": [variant("b", "b")]}
        boto.config(name, variant("a", "a"), DataCaptureConfig=capture, **shade)
    else:
        boto.config(name, variant("a", "a"), variant("b", "b"), DataCaptureConfig=capture)
    boto.endpoint(name, name)


def ask(boto: Account, name: str, n: int, **members: Any) -> None:
    """Ask for a number."""
    boto.runtime.invoke_endpoint(
        EndpointName=name,
        Body=json.dumps({"n": n}).encode(),
        ContentType="application/json",
        **members,
    )["Body"].read()


def captured(boto: Account, name: str, part: str) -> list[dict[str, Any]]:
    """Return what was captured of a variant so far."""
    folder = boto.house.paths.objects / "captured" / name / name / part
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def wait_captured(boto: Account, name: str, part: str, count: int) -> None:
    """Wait until so many calls of a variant were captured."""
    wait_for(
        lambda: len(captured(boto, name, part)) >= count, why=f"{count} captured calls of {part}"
    )


def cli(boto: Account, *arguments: str) -> Result:
    """Run a command against the house; a bug in it is raised."""
    environment = {
        "PARKADE_URL": boto.house.url,
        "PARKADE_TOKEN": boto.house.token,
        "PARKADE_STATE": str(boto.house.state),
    }
    result = CliRunner().invoke(app, arguments, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(boto: Account, *arguments: str) -> Any:
    """Run a command that has to work; return the JSON that it prints."""
    result = cli(boto, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
