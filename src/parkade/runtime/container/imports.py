"""What loading a model brought into the process: modules, and changes of the environment.

A worker tells it once it listens, so that a process which is kept in reserve can import the same
in advance. Modules count as the environment's own if they were found where Python looked before
the model had its say; a model's code, and what it brings along, does not.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.machinery import ModuleSpec

#: The origins of modules that are part of the interpreter.
_WITHIN = frozenset({"built-in", "frozen"})


class Report(TypedDict):
    """What there is in a process, as it is told on a line of JSON."""

    #: The environment's modules, in the order in which they were begun to be imported.
    own: list[str]
    #: All others: the model's, and those that are known by a second name.
    others: list[str]
    #: Variables that were changed since: the digest of the new value, empty where it was removed.
    changed: dict[str, str]


class Outset(NamedTuple):
    """How things were before the first module was imported for a model."""

    path: tuple[str, ...]
    environment: Mapping[str, str]
    modules: frozenset[str]

    @classmethod
    def here(cls) -> Outset:
        """Remember how things are now."""
        return cls(tuple(sys.path), dict(os.environ), frozenset(sys.modules))

    def stamps(self) -> dict[str, int]:
        """Return when each folder of packages was changed last: packages come and go in them."""
        folders = (Path(entry) for entry in self.path)
        return {str(each): each.stat().st_mtime_ns for each in folders if each.is_dir()}

    def report(self) -> Report:
        """Return what has come since."""
        roots = tuple(str(Path(entry)) + os.sep for entry in self.path if entry)
        own: list[str] = []
        others: list[str] = []
        for name, module in list(sys.modules.items()):
            if name in self.modules:
                continue
            spec = getattr(module, "__spec__", None)
            (own if _is_own(name, spec, roots) else others).append(name)
        return {"own": own, "others": others, "changed": self._changed(os.environ)}

    def _changed(self, now: Mapping[str, str]) -> dict[str, str]:
        names = self.environment.keys() | now.keys()
        return {
            name: _digest(now[name]) if name in now else ""
            for name in sorted(names)
            if now.get(name) != self.environment.get(name)
        }


def _is_own(name: str, spec: ModuleSpec | None, roots: tuple[str, ...]) -> bool:
    if spec is None or spec.name != name:
        return False
    if spec.origin is None:  # a package in parts, each with a folder of its own
        return _lie_in(spec.submodule_search_locations or (), roots)
    return spec.origin in _WITHIN or _lie_in((spec.origin,), roots)


def _lie_in(places: Iterable[str], roots: tuple[str, ...]) -> bool:
    places = list(places)
    return bool(places) and all(place.startswith(roots) for place in places)


def _digest(value: str) -> str:
    # A model may put a secret into its environment, which is nobody else's business.
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()
