"""The sample model of `parkade demo` and `parkade init`: found, copied, trained where that is to be done.

The sample lies in the checkout, or in the installed package, which is never written into; the
copy is in the demo's state folder and is used again as long as the sample is the same.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.apps.cli import preparing
from parkade.domain.errors import StartFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME = "text-classification"
WEIGHTS = "model.joblib"
_LIBRARY = "scikit-learn"
_MODULE = "sklearn"


def prepare(
    work: Path, cache: Path, tell: Callable[[str], None], options: Sequence[str] = ()
) -> Path:
    """Return the folder of the sample below `work`, trained, ready to be packed.

    `options` are those of its train.py. Raises StartFailed where it cannot be trained.
    """
    source = find()
    folder = work / NAME
    mark = work / f"{NAME}.sha256"
    isolated = importlib.util.find_spec(_MODULE) is None
    content = _content(source, isolated=isolated, options=options)
    if (folder / WEIGHTS).is_file() and mark.is_file() and mark.read_text() == content:
        return folder
    mark.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    python = Path(sys.executable)
    if isolated:
        requirements = folder / "code" / "requirements.txt"
        requirements.write_text(_requirement() + "\n", encoding="ascii")
        tell(f"Installing {_LIBRARY} into an environment of its own (once)")
        python = preparing.environment(requirements, cache=cache, log=work / "install.log")
    if isolated or options or not (folder / WEIGHTS).is_file():
        tell("Training the sample model")
        _train(folder, python, options)
    mark.write_text(content)
    return folder


def find() -> Path:
    """Return where the sample lies. Raises Unavailable where it was not shipped."""
    package = Path(__file__).parents[2]
    checkout = package.parents[1]
    for root in (package, checkout):
        found = root / "examples" / NAME
        if (found / "train.py").is_file():
            return found
    raise Unavailable(
        f"the sample model is neither in {package} nor in {checkout}",
        hint="install Parkade's wheel, or run from a checkout",
    )


def _train(folder: Path, python: Path, options: Sequence[str]) -> None:
    (folder / WEIGHTS).unlink(missing_ok=True)
    trained = subprocess.run(
        [str(python), "-P", str(folder / "train.py"), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if trained.returncode != 0 or not (folder / WEIGHTS).is_file():
        last = (trained.stderr or trained.stdout).strip().splitlines()[-1:]
        raise StartFailed(
            f"the sample model could not be trained: {' '.join(last) or trained.returncode}",
            hint=f"see: {python} {folder / 'train.py'}",
        )


def _requirement() -> str:
    """Return the sample's library as Parkade's extra `examples` pins it."""
    for line in metadata.requires("parkade") or ():
        requirement, _, marker = line.partition(";")
        if requirement.startswith(_LIBRARY) and "examples" in marker:
            return requirement.strip()
    raise Unavailable(
        f"{_LIBRARY} is not installed", hint=f"install it beside Parkade: pip install {_LIBRARY}"
    )


def _content(source: Path, *, isolated: bool, options: Sequence[str]) -> str:
    """Return a digest of what the trained copy is made from."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {isolated} {options}".encode())
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.name != WEIGHTS:
            digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
