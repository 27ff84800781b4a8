"""The code of the Lambda functions: the modules that they reach, and nothing else.

What the entries import, at any depth and inside functions as well, is copied beside the data files of
its folders. So a change of the command line, say, leaves the deployed functions as they are, and the
functions carry neither the embedded runtime nor the CDK application.
"""

from __future__ import annotations

import ast
import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The package that is copied, and the room of the entries in it.
PACKAGE = "parkade"
ENTRIES = f"{PACKAGE}.apps.lambdas"
_SOURCE = Path(__file__).parent.parent


@functools.cache
def staged() -> Path:
    """Return a folder with the functions' code, which is there as long as this process."""
    # What the cache holds is removed when the process ends.
    _KEPT.append(tempfile.TemporaryDirectory(prefix="parkade-code-"))
    return stage(Path(_KEPT[-1].name))


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def stage(folder: Path) -> Path:
    """Copy the functions' code into a folder, as a package; return the folder."""
    modules = reached(entries())
    for name in modules:
        _copy(_path(name), folder)
    for directory in {_path(name).parent for name in modules}:
        for path in _data(directory):
            _copy(path, folder)
    return folder


def entries() -> tuple[str, ...]:
    """Return the modules with a handler, whole names."""
    room = _SOURCE / "apps" / "lambdas"
    return tuple(
        sorted(f"{ENTRIES}.{path.stem}" for path in room.glob("[!_]*.py") if _has_handler(path))
    )


def _has_handler(path: Path) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "handler"
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
    )


def reached(names: Iterable[str]) -> frozenset[str]:
    """Return the package's modules that these import, at any depth, themselves included."""
    found: set[str] = set()
    open_ends = list(names)
    while open_ends:
        name = open_ends.pop()
        if name in found:
            continue
        found.add(name)
        parents = name.split(".")[:-1]
        open_ends += [".".join(parents[: n + 1]) for n in range(len(parents))]
        open_ends += [each for each in imported(_path(name)) if _is_module(each)]
    return frozenset(found)


def imported(path: Path) -> Iterator[str]:
    """Go through the names that a module imports when it runs: modules, and members of them."""
    return _imported(ast.parse(path.read_text(encoding="utf-8")).body)


def _imported(body: Iterable[ast.AST]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            yield from _imported(node.orelse)
        else:
            yield from _imported(ast.iter_child_nodes(node))


def _is_for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _is_module(name: str) -> bool:
    if name.split(".", maxsplit=1)[0] != PACKAGE:
        return False
    path = _SOURCE.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _path(name: str) -> Path:
    path = _SOURCE.joinpath(*name.split(".")[1:])
    package = path / "__init__.py"
    return package if package.is_file() else path.with_suffix(".py")


def _data(directory: Path) -> Iterator[Path]:
    """Go through the files of a folder that are no modules, folders that are no packages whole."""
    for path in sorted(directory.iterdir()):
        if path.is_file() and path.suffix not in {".py", ".pyc"}:
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not any(path.rglob("*.py")):
            yield from (each for each in sorted(path.rglob("*")) if each.is_file())


def _copy(path: Path, folder: Path) -> None:
    target = folder / PACKAGE / path.relative_to(_SOURCE)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    target.chmod(0o644)
