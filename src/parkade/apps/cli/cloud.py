"""`parkade cloud`: the stacks of a project on AWS.

The templates are made by a process of their own, so that no other command needs the CDK. Deploying,
comparing and destroying is the CDK's own command line, in the version that reads these assemblies.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from parkade.apps import settings
from parkade.apps.cli import clouds, meant, options, render
from parkade.domain.errors import InvalidInput, ParkadeError, Unauthenticated
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The CDK's command line. The library's assemblies need this one at least, and 3.0 reads none of them.
CDK_VERSION = "2.1148.1"
_STACK = "aws:cloudformation:stack"

app = typer.Typer(
    no_args_is_help=True, help="The stacks of a project on AWS: synthesize, deploy, destroy."
)

Server = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="A server.yaml: the settings of the functions."),
]
Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="DIR", help="Folder of the assembly.", show_default=True),
]
NoRetain = Annotated[
    bool, options.flag("--no-retain", help="Tables and buckets go with their stacks.")
]
Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK...", help="Stacks, such as MeterStack; all where none is named."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack of an assembly."""

    name: str
    about: str
    resources: int
    after: tuple[str, ...]


@app.callback()
def _about_a_file() -> None:
    """Refuse what the command line says of an account: which one stacks are for, the file says."""
    choice = clouds.chosen()
    for name, given in (("profile", choice.profile), ("region", choice.region)):
        if given is not None:
            raise InvalidInput(
                f"--{name} {given} is not for parkade cloud, which goes by the project file",
                field=f"--{name}",
                hint=f"write {name}: {given} into the file, or into a stage of it; or set "
                f"AWS_{name.upper()}",
            )


@app.command()
def synth(
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    config: Server = None,
    out: Out = Path("cdk.out"),
    no_bundle: Annotated[
        bool,
        options.flag(
            "--no-bundle",
            help="Without the functions' libraries: needs no network, and cannot be deployed.",
        ),
    ] = False,
    no_retain: NoRetain = False,
) -> None:
    """Write the templates of a project's stacks, checked.

    Nothing is asked of AWS but JumpStart's models, where the file names some.

    [dim]Example:[/dim] parkade cloud synth --stage prod --out cdk.out
    """
    _synthesize(file, stage, config, out, bundles=not no_bundle, retains=not no_retain, checks=True)
    stacks = tuple(_stacks(out))
    render.say(f"{out}: {len(stacks)} stacks")
    for each in stacks:
        render.line(each.name)


@app.command()
def ls(
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    config: Server = None,
    as_json: options.Json = False,
) -> None:
    """List the stacks of a project, in the order in which they are deployed.

    [dim]Example:[/dim] parkade cloud ls
    """
    with tempfile.TemporaryDirectory(prefix="parkade-cloud-") as folder:
        out = Path(folder)
        _synthesize(file, stage, config, out, bundles=False, retains=True, checks=False)
        stacks = tuple(_stacks(out))
    if as_json:
        render.machine(
            [
                {
                    "name": each.name,
                    "about": each.about,
                    "resources": each.resources,
                    "after": list(each.after),
                }
                for each in stacks
            ]
        )
        return
    table = Table("STACK", "RESOURCES", "WHAT IT IS", box=None)
    for each in stacks:
        table.add_row(each.name, str(each.resources), each.about)
    render.show(table)


@app.command()
def diff(
    stacks: Stacks = None,
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    config: Server = None,
    out: Out = Path("cdk.out"),
    no_retain: NoRetain = False,
) -> None:
    """Tell how the stacks differ from what is deployed.

    [dim]Example:[/dim] parkade cloud diff MeterStack
    """
    _carry_out("diff", stacks, file, stage, config, out, retains=not no_retain)


@app.command()
def deploy(
    stacks: Stacks = None,
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    config: Server = None,
    out: Out = Path("cdk.out"),
    no_retain: NoRetain = False,
    yes: Annotated[bool, options.flag("--yes", "-y", help="Do not ask about permissions.")] = False,
) -> None:
    """Deploy stacks, with those that they need before them.

    An account and region are prepared once, with: npx aws-cdk@2 bootstrap

    [dim]Example:[/dim] parkade cloud deploy MeterStack APIStack
    """
    approval = "never" if yes else "broadening"
    asked = ("--require-approval", approval)
    _carry_out("deploy", stacks, file, stage, config, out, *asked, retains=not no_retain)


@app.command()
def destroy(
    stacks: Stacks = None,
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    config: Server = None,
    out: Out = Path("cdk.out"),
    yes: Annotated[bool, options.flag("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove stacks. The meter's ends all leases first, and deletes their endpoints.

    Tables and named buckets stay, unless they were deployed with --no-retain.

    [dim]Example:[/dim] parkade cloud destroy TesterStack
    """
    _carry_out("destroy", stacks, file, stage, config, out, *(("--force",) if yes else ()))


def _carry_out(
    verb: str,
    stacks: Sequence[str] | None,
    file: Path | None,
    stage: str | None,
    config: Path | None,
    out: Path,
    *arguments: str,
    retains: bool = True,
) -> None:
    """Have the CDK's command line do something about stacks."""
    npx = settings.npx()
    profile = _profile(meant.found(file), stage)
    _require_credentials(profile)
    # What is destroyed needs no libraries; its templates are only looked at.
    bundles = verb != "destroy"
    _synthesize(file, stage, config, out, bundles=bundles, retains=retains, checks=bundles)
    named = _named(stacks, out)
    command = [*npx.command, "--yes", f"aws-cdk@{CDK_VERSION}", verb, *named, "--app", str(out)]
    if profile:
        command += ["--profile", profile]
    done = subprocess.run([*command, *arguments], check=False, env=dict(npx.environment))
    if done.returncode:
        raise typer.Exit(done.returncode)


def _synthesize(
    file: Path | None,
    stage: str | None,
    config: Path | None,
    out: Path,
    *,
    bundles: bool,
    retains: bool,
    checks: bool,
) -> None:
    """Write the assembly. What is wrong has been told where the exit status is 1."""
    if util.find_spec("aws_cdk") is None:
        raise ParkadeError(
            "the AWS CDK is not installed, which templates are made with",
            hint="pip install 'parkade[cdk]'",
        )
    command = [sys.executable, "-m", "parkade.infra", "--file", str(meant.found(file))]
    command += ["--out", str(out)]
    command += ["--stage", stage] if stage else []
    command += ["--config", str(config)] if config else []
    for option, given in (
        ("--no-bundle", not bundles),
        ("--no-retain", not retains),
        ("--unchecked", not checks),
    ):
        command += [option] if given else []
    with render.working("Synthesizing"):
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise typer.Exit(1)


def _stacks(out: Path) -> Iterator[Stack]:
    """Go through the stacks of an assembly."""
    artifacts: dict[str, Any] = json.loads((out / "manifest.json").read_text(encoding="utf-8"))[
        "artifacts"
    ]
    for name, each in artifacts.items():
        if each["type"] != _STACK:
            continue
        template = json.loads(
            (out / each["properties"]["templateFile"]).read_text(encoding="utf-8")
        )
        yield Stack(
            name=name,
            about=str(template.get("Description", "")).partition(": ")[2],
            resources=len(template["Resources"]),
            after=tuple(
                other
                for other in each.get("dependencies", ())
                if artifacts[other]["type"] == _STACK
            ),
        )


def _named(given: Sequence[str] | None, out: Path) -> list[str]:
    """Return the names of stacks that are meant, by their whole names or without the prefix."""
    known = [each.name for each in _stacks(out)]
    if not given:
        return ["--all"]
    found = []
    for each in given:
        matching = [name for name in known if each == name or name.endswith(f"-{each}")]
        if not matching:
            raise InvalidInput(
                f"the project has no stack {each!r}",
                field="STACK",
                hint=suggestion(each, known) or "there are " + ", ".join(known),
            )
        found += matching
    return found


def _profile(file: Path, stage: str | None) -> str | None:
    """Return the profile that the file names."""
    # What reads files takes a while to load; other commands need not wait for it.
    from parkade.apps.projectfile import reading  # noqa: PLC0415

    found = reading.read(file, stage=stage, environment=settings.variables(), whole=False)
    return found.content.profile


def _require_credentials(profile: str | None) -> None:
    """Raise Unauthenticated where AWS would not know who asks."""
    from parkade.adapters.aws.credentials import known  # noqa: PLC0415

    if not known(profile):
        raise Unauthenticated(
            "there are no AWS credentials" + (f" of profile {profile!r}" if profile else ""),
            hint="aws configure, or set AWS_PROFILE; or name `profile` in parkade.yaml",
        )
