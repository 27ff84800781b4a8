"""Which container serves a model: image names to container kinds, or to command lines.

An image is not pulled or run here: its name says which of Parkade's containers plays it, or
which command of this machine does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.runtime import pings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Loads `code/inference.py` from the model data; see `runtime/container`.
SCRIPT = "script"
#: Does so for many models in one worker, under SageMaker's multi-model contract.
MULTI = "multi"


class Listen(StrEnum):
    """What a worker is told to answer on."""

    SOCKET = "socket"
    PORT = "port"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCommand:
    """A command of this machine that plays an image: a container without a container.

    In its words and its environment's values, names in braces stand for what each worker gets;
    see `runtime/furnishing.py`.
    """

    command: tuple[str, ...]
    listen: Listen = Listen.PORT
    #: Asked for its health by GET.
    health: str = pings.PATH
    environment: Mapping[str, str] = field(default_factory=dict)


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


def player(
    image: str,
    patterns: Mapping[str, str | ImageCommand],
    kinds: Collection[str],
    *,
    multi_model: bool = False,
) -> str | ImageCommand:
    """Return the kind of container, or the command, that plays the image.

    `patterns` go before the built-in ones. Raises InvalidInput where nothing matches, where a
    pattern names none of the `kinds`, or where what it names does not play that many models.
    """
    for pattern, found in (*patterns.items(), *_BUILT_IN.items()):
        if fnmatchcase(image, pattern):
            if isinstance(found, ImageCommand):
                return found
            return _fitting(_known(found, pattern, kinds), image, multi_model=multi_model)
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


def _fitting(kind: str, image: str, *, multi_model: bool) -> str:
    """Return the kind for one model or for many: a script serves either."""
    if multi_model and kind == SCRIPT:
        return MULTI
    if kind == MULTI and not multi_model:
        raise InvalidInput(
            f"the image {image!r} is played by the multi-model container",
            field="Mode",
            hint="give the model's container the Mode MultiModel",
        )
    return kind
