"""The layer of the functions: the libraries that they import, for Lambda's machines.

pip fetches wheels for arm64 Linux and the functions' Python, whatever this machine is. The versions
are those that are installed here, with which the synthesized application was tested.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from parkade.domain.errors import ParkadeError

#: The functions' Python and machines.
PYTHON = "3.13"
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")
#: What the functions import, by the names of the package index. Lambda's own botocore is of an
#: unknown age, and would be another one than was tested.
LIBRARIES = (
    "botocore",
    "cbor2",
    "fastapi",
    "httptools",
    "httpx",
    "mangum",
    "platformdirs",
    "prometheus-client",
    "pydantic",
    "pyyaml",
    "s3transfer",
    "tenacity",
    "tzdata",
)
#: What ends the name that a requirement begins with.
_BEHIND = re.compile(r"[^A-Za-z0-9._-]")
#: What a layer that nothing was fetched for holds instead.
_NOTE = "parkade-unbundled.txt"
_TOLD = (
    "This layer was synthesized without its libraries: it is for looking, and not for deploying.\n"
)


def pins() -> tuple[str, ...]:
    """Return the libraries, each with the version that is installed here. Raises ParkadeError."""
    try:
        return tuple(f"{name}=={metadata.version(name)}" for name in LIBRARIES)
    except metadata.PackageNotFoundError as error:
        raise ParkadeError(
            f"{error.name} is not installed, and the functions need it",
            hint="pip install 'parkade[cdk]'",
        ) from error


def fingerprint(*, bundles: bool) -> str:
    """Return what the layer is known by: its content differs only where this does."""
    told = [*pins(), *_needed(), PYTHON, *PLATFORMS, str(bundles)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _needed() -> list[str]:
    """Return the versions of what the libraries need in turn, as far as it is installed here.

    Whether a machine of another kind needs it is not asked: what is named for nothing does no harm.
    """
    found: dict[str, str] = {}
    ahead = list(LIBRARIES)
    while ahead:
        try:
            of = metadata.distribution(ahead.pop())
        except metadata.PackageNotFoundError:
            continue  # on another system, or another Python
        name = of.metadata["Name"].lower()
        if name not in found:
            found[name] = of.version
            ahead += [
                _BEHIND.split(each, maxsplit=1)[0]
                for each in of.requires or ()
                if "extra ==" not in each
            ]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def stage(cache: Path, *, bundles: bool) -> Path:
    """Return the folder of the layer; it is fetched once for each set of versions.

    Raises ParkadeError where pip cannot fetch it.
    """
    folder = cache / "layers" / fingerprint(bundles=bundles)
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    try:
        if bundles:
            _fetch(made / "python")
        else:
            (made / _NOTE).write_text(_TOLD, encoding="ascii")
        made.chmod(0o755)
        made.replace(folder)
    except OSError:
        if not folder.exists():  # another process was quicker
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _fetch(target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="ascii") as constraints:
        constraints.write("\n".join(_installed()))
        constraints.flush()
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--target", str(target), "--only-binary=:all:", "--no-compile",
            "--implementation", "cp", "--python-version", PYTHON,
            *(f"--platform={each}" for each in PLATFORMS),
            "--constraint", constraints.name, *pins(),
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ParkadeError(
            f"the functions' libraries could not be fetched: {done.stderr.strip()[-2000:]}",
            hint="a package index has to be in reach; --no-bundle synthesizes without it, for "
            "looking only",
        )


def _installed() -> list[str]:
    """Return the versions of all that is installed here: what the libraries need comes in these."""
    found = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name != "parkade"]
