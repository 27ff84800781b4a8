"""The estate: all that the stacks are built from, read once.

A project file laid out for AWS, the settings of the server, and the switches of one synthesis. Who
uses the stacks in a CDK application of their own reads one with `read`, and hands it to each stack.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.apps.cli import archives
from parkade.apps.projectfile import layout, reading
from parkade.apps.serverfile import ServerFile, read_server_file
from parkade.domain.errors import InvalidInput
from parkade.infra import foundations, images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from parkade.apps.cli.archives import Archive
    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.reading import ProjectFile
    from parkade.domain.project.part import Kind, Part
    from parkade.domain.project.project import Project
    from parkade.infra.foundations import Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The switches of one synthesis."""

    #: Whether the functions' libraries are fetched, which needs a package index. Without them the
    #: templates are the same, and what they describe cannot be deployed.
    bundles: bool = True
    #: Whether tables, keys and buckets survive the stacks that made them.
    retains: bool = True
    #: Days that logs are kept.
    log_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """One project at one stage, as an AWS account is to have it."""

    document: Document
    project: Project
    server: ServerFile = field(default_factory=ServerFile)
    options: Options = field(default_factory=Options)
    #: Folders and archives of this machine that models are made from, and where they go.
    archives: tuple[Archive, ...] = ()
    #: Folders that images are built of, by the addresses that stand for those until they are built.
    images: Mapping[str, Path] = field(default_factory=dict)
    #: Where the file is; what it names relatively begins there.
    folder: Path = field(default_factory=Path)
    #: What the file is called in that folder.
    file_name: str = "parkade.yaml"
    #: Says where in the file something stands that a stack refuses.
    located: Callable[[InvalidInput], InvalidInput] = field(default=lambda error: error)

    @property
    def prefix(self) -> str:
        """What all names begin with."""
        return self.project.prefix

    def parts(self, kind: Kind) -> Iterator[Part]:
        """Go through the project's parts of one kind."""
        return (each for each in self.project.parts if each.kind is kind)

    def settings(self) -> str:
        """Return the settings of the server as the functions read them: what was set, as JSON."""
        told = self.server.model_dump(mode="json", exclude_unset=True)
        return json.dumps(told, sort_keys=True, separators=(",", ":"))


def read(
    file: Path,
    *,
    stage: str | None = None,
    environment: Mapping[str, str],
    server: Path | None = None,
    options: Options | None = None,
    catalog: Catalog | None = None,
) -> Estate:
    """Return the estate of a project file, and of a server.yaml where one is named.

    `environment` has the variables that the file may name. JumpStart ids are looked up in the
    `catalog`, AWS's own where none is given. Raises BadFile, InvalidInput, and Unavailable where an
    id cannot be looked up.
    """
    found = reading.read(file, stage=stage, environment=environment)
    try:
        return _estate(found, read_server_file(server), options or Options(), catalog)
    except InvalidInput as error:
        raise found.located(error) from error


def _estate(
    found: ProjectFile, server: ServerFile, options: Options, catalog: Catalog | None
) -> Estate:
    """Return the estate of a file that was read. Raises InvalidInput by the places of a document."""
    content = found.content
    folder = found.path.absolute().parent
    stored = {
        each.place: archives.read(
            str(each.place[1]), each.path, bucket=content.archives, prefix=content.prefix
        )
        for each in found.locals
    }
    document = found.document({place: each.address for place, each in stored.items()})
    document, built = images.resolved(document, folder)
    project = layout.project_on_aws(foundations.resolved(document, catalog))
    _require_names(project, document)
    return Estate(
        document=document,
        # What is remembered of the file is what it says, and not what stands behind its ids.
        project=replace(project, document=document.remembered()),
        server=server,
        options=options,
        archives=tuple(stored.values()),
        images=built,
        folder=folder,
        file_name=found.path.name,
        located=found.located,
    )


def _require_names(project: Project, document: Document) -> None:
    """Raise InvalidInput for names that CloudFormation does not take, or tell apart."""
    if not project.prefix[0].isalpha():
        raise InvalidInput(
            f"{project.prefix!r} begins with a digit, and names of stacks begin with a letter",
            field="project",
            hint="give the project another name, or apply it without stacks: parkade apply",
        )
    for place, keys in (
        ("models", document.models),
        ("endpoints", document.endpoints),
        ("monitor.alarms", document.monitor.alarms),
    ):
        met: dict[str, str] = {}
        for key in keys:
            other = met.setdefault(key.replace("-", "").lower(), key)
            if other != key:
                raise InvalidInput(
                    f"{other!r} and {key!r} are one name in a template, which has letters and digits "
                    "alone, whatever their case",
                    field=f"{place}.{key}",
                    hint="rename one of them",
                )
