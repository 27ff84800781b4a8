"""The application: all stacks of an estate, in the order in which they are deployed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk

from parkade.domain.errors import AlreadyExists, InvalidInput, ParkadeError
from parkade.infra import checks
from parkade.infra.stacks.api import APIStack
from parkade.infra.stacks.archive import ModelArchivingStack
from parkade.infra.stacks.deployer import DeployerStack
from parkade.infra.stacks.foundation import FoundationModelsStack
from parkade.infra.stacks.maintainer import MaintainerStack
from parkade.infra.stacks.meter import MeterStack
from parkade.infra.stacks.monitor import MonitorDashboardStack
from parkade.infra.stacks.multimodel import MultiModelStack
from parkade.infra.stacks.pipeline import CICDPipelineStack
from parkade.infra.stacks.serving import ModelServingStack
from parkade.infra.stacks.tester import TesterStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.infra.estate import Estate
    from parkade.infra.stack import ParkadeStack

#: What the CDK leaves in the folder of each assembly.
_MARK = "cdk.out"
#: How the CDK says that checks found something.
_FOUND = "ValidationFailed: "
#: The stacks, in the order in which they are deployed; each is there where `wanted` says so.
STACKS: tuple[type[ParkadeStack], ...] = (
    MeterStack,
    APIStack,
    ModelArchivingStack,
    ModelServingStack,
    FoundationModelsStack,
    MultiModelStack,
    DeployerStack,
    MaintainerStack,
    MonitorDashboardStack,
    TesterStack,
    CICDPipelineStack,
)


def build(app: cdk.App, estate: Estate) -> tuple[ParkadeStack, ...]:
    """Add the stacks that an estate has, each with the ones that it is deployed after."""
    made: dict[type[ParkadeStack], ParkadeStack] = {}
    for stack in STACKS:
        if stack.wanted(estate):
            made[stack] = stack(app, estate=estate)
    for each in made.values():
        for title in each.after:
            for other in made.values():
                if other.title is title:
                    each.add_stack_dependency(other)
    return tuple(made.values())


def synthesize(
    estate: Estate,
    *,
    out: Path | None = None,
    context: Mapping[str, object] | None = None,
) -> Path:
    """Write the assembly of an estate, checked; return its folder.

    Without `out` it is written where the CDK's command line asks for it. Raises ParkadeError where a
    check finds something, InvalidInput for what a stack refuses, and AlreadyExists for a folder with
    anything else in it.
    """
    if out is not None:
        _take(out)
    app = cdk.App(
        outdir=str(out) if out else None,
        analytics_reporting=False,
        context={**checks.STRICT, **(context or {})},
    )
    try:
        build(app, estate)
        return Path(checks.checked(app).synth().directory)
    except InvalidInput as error:
        raise estate.located(error) from error
    except RuntimeError as error:  # whatever goes wrong inside the CDK
        _, found, told = str(error).partition(_FOUND)
        if not found:
            raise
        raise ParkadeError(
            f"the templates were refused by their checks: {told.strip()}",
            hint="what is right as it is has to be acknowledged: see parkade.infra.checks",
        ) from error


def _take(out: Path) -> None:
    """Make a folder one for assemblies. Raises AlreadyExists where files of others would be replaced."""
    hint = "name a folder that is new, or empty, with --out"
    if out.exists() and not out.is_dir():
        raise AlreadyExists(f"{out} is no folder", hint=hint)
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).is_file():
        raise AlreadyExists(f"{out} has other files in it, and no assembly", hint=hint)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # At once: what breaks off leaves assets, and is to be repeated into the same folder.
        (out / _MARK).touch()
    except OSError as error:
        raise InvalidInput(
            f"{out} cannot be written: {error.strerror}",
            field="out",
            hint="name another with --out",
        ) from error
