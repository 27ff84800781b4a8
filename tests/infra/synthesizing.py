"""Assemblies for tests: each project file is synthesized once in a process, without network.

The CDK's own validator, which takes seconds, is left out; `make check-infra` has it on.
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parkade.apps import settings
from parkade.infra import estate as estates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.infra.foundations import Catalog
    from parkade.infra.naming import Title

#: What a project file has at least.
MINIMAL = "project: Demo\n"


@dataclass(frozen=True)
class Assembly:
    """What was synthesized."""

    folder: Path
    prefix: str

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    @property
    def stacks(self) -> list[str]:
        """The names of the stacks, in the order of the manifest."""
        return [
            name
            for name, each in self.manifest["artifacts"].items()
            if each["type"] == "aws:cloudformation:stack"
        ]

    def template(self, title: Title | str) -> dict[str, Any]:
        path = self.folder / f"{self.prefix}-{title}.template.json"
        return json.loads(path.read_text(encoding="utf-8"))

    def resources(self, title: Title | str, kind: str = "") -> dict[str, dict[str, Any]]:
        """Return the resources of a stack, of one kind such as `AWS::Lambda::Function`."""
        return {
            name: each
            for name, each in self.template(title)["Resources"].items()
            if not kind or each["Type"] == kind
        }

    def only(self, title: Title | str, kind: str) -> dict[str, Any]:
        """Return the properties of the one resource of a kind."""
        (found,) = self.resources(title, kind).values()
        return found["Properties"]


def estate(
    text: str = MINIMAL,
    *,
    files: tuple[tuple[str, str], ...] = (),
    environment: Mapping[str, str] | None = None,
    catalog: Catalog | None = None,
    **options: Any,
) -> estates.Estate:
    """Return the estate of a file's text; `files` lie beside it."""
    folder = Path(tempfile.mkdtemp(prefix="parkade-infra-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, content in {"parkade.yaml": text, **dict(files)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return estates.read(
        folder / "parkade.yaml",
        environment=environment or {},
        catalog=catalog,
        options=estates.Options(bundles=False, **options),
    )


@functools.cache
def synthesized(
    text: str = MINIMAL, *, files: tuple[tuple[str, str], ...] = (), retains: bool = True
) -> Assembly:
    """Return the assembly of a file's text. Whoever changes what is in it harms the others."""
    return assembled(estate(text, files=files, retains=retains))


def assembled(wanted: estates.Estate) -> Assembly:
    """Return the assembly of an estate, made anew."""
    settings.let_cdk_find_node(validates=False)
    from parkade.infra import application

    out = Path(tempfile.mkdtemp(prefix="parkade-assembly-"))
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    return Assembly(folder=application.synthesize(wanted, out=out), prefix=wanted.prefix)
