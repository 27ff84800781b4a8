"""Whether this process has what a model's `code/requirements.txt` asks for.

A container of many models has one environment, so a model cannot bring packages of its own.
Versions are compared where `packaging` or pip are installed, as they are in every isolated
environment; elsewhere a package of the name is enough.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

from .variables import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def unmet(path: Path) -> list[str]:
    """Return the lines of the file that are not met; none where there is no file."""
    return [line for line in _lines(path) if not _is_met(line)] if path.is_file() else []


def advice(lines: list[str]) -> str:
    """Say what to do about them."""
    return (
        f"code/requirements.txt asks for {', '.join(lines)}, which this container lacks; a model "
        "among many cannot install packages: name them, a line each, in the entry "
        f"{REQUIREMENTS} of the Environment of the multi-model container, or serve this model by an "
        "endpoint of its own"
    )


def _lines(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    for line in text.splitlines():
        words = line.partition(" #")[0].split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in {"-r", "--requirement"} and len(words) == 2:
            other = path.parent / words[1]
            yield from _lines(other) if other.is_file() else (line.strip(),)
        elif not words[0].startswith("-"):
            # What follows are pip's own options, such as hashes.
            yield " ".join(words).partition(" --")[0]


def _is_met(line: str) -> bool:
    if line.endswith(".whl"):
        name, version = (*line.rpartition("/")[2].split("-"), "")[:2]
        return version != "" and _version(name) == version
    packaging = _packaging()
    if packaging is None:
        return _version(_name(line)) is not None
    try:
        requirement = packaging.Requirement(line)
    except packaging.InvalidRequirement:
        return False
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    installed = _version(requirement.name)
    return installed is not None and bool(
        requirement.specifier.contains(installed, prereleases=True)
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name) if name else None
    except metadata.PackageNotFoundError:
        return None


def _name(line: str) -> str:
    end = next(
        (place for place, letter in enumerate(line) if not (letter.isalnum() or letter in "-_.")),
        len(line),
    )
    return line[:end]


def _packaging() -> Any:
    for name in ("packaging.requirements", "pip._vendor.packaging.requirements"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    return None
