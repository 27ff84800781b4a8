"""Which container serves a model: image names to container kinds.

An image is not pulled or run here: its name says which of Parkade's containers plays it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Loads `code/inference.py` from the model data; see `runtime/container`.
SCRIPT = "script"

#: The framework images of the public deep learning registries whose contract is such a script.
_FRAMEWORKS = (
    "pytorch-inference*",
    "sagemaker-scikit-learn*",
    "sagemaker-xgboost*",
    "tensorflow-inference*",
    "mxnet-inference*",
    "huggingface-*",
)

#: With registry and tag, and their short names without either.
_BUILT_IN = {
    pattern: SCRIPT
    for framework in _FRAMEWORKS
    for pattern in (f"*/{framework}", framework)
}  # fmt: skip


def kind(image: str, patterns: Mapping[str, str], kinds: Collection[str]) -> str:
    """Return the kind of container that plays the image; `patterns` go before the built-in ones.

    Raises InvalidInput where nothing matches, or where a pattern names none of the `kinds`.
    """
    for pattern, found in (*patterns.items(), *_BUILT_IN.items()):
        if fnmatchcase(image, pattern):
            return _known(found, pattern, kinds)
    known = ", ".join((*patterns, *_FRAMEWORKS))
    raise InvalidInput(
        f"no container is known for the image {image!r}",
        field="Image",
        hint=f"known are {known}; for others add a line to `images` in server.yaml, such as "
        f"'{image}': {SCRIPT}",
    )


def _known(found: str, pattern: str, kinds: Collection[str]) -> str:
    if found not in kinds:
        raise InvalidInput(
            f"the setting `images` maps {pattern!r} to {found!r}, which is no container",
            field="images",
            hint="containers are: " + ", ".join(sorted(kinds)),
        )
    return found
