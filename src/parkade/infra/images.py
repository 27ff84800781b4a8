"""Images that are built of folders: what stands for them until the deployment has built them.

A model's name comes of its content, and the content of such a model is that of the folder. So the
address that stands for an image has the folder's digest in it: another Dockerfile is another model.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from parkade.apps.projectfile.models import BuiltImage
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parkade.apps.projectfile.document import Document

#: A registry that there is not: nothing is ever pulled from it.
_STANDS_FOR = "built.parkade"


def resolved(document: Document, root: Path) -> tuple[Document, dict[str, Path]]:
    """Return the document with an address for each image that is built, and the folders by those.

    Relative folders begin at `root`. Raises InvalidInput for a folder that cannot be read.
    """
    folders: dict[str, Path] = {}
    models = dict(document.models)
    for key, model in document.models.items():
        if isinstance(model.image, BuiltImage):
            folder = root / model.image.folder
            address = f"{_STANDS_FOR}/{_digest(key, folder)[:32]}"
            folders[address] = folder
            models[key] = model.model_copy(update={"image": address})
    return document.model_copy(update={"models": models}), folders


def _digest(key: str, folder: Path) -> str:
    sums = hashlib.sha256()
    try:
        for path in _files(folder):
            sums.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            with path.open("rb") as file:
                sums.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise InvalidInput(
            f"the image of model {key} cannot be read: {error.filename}: {error.strerror}",
            field=f"models.{key}.image.folder",
            hint="check the path, and who may read it",
        ) from error
    return sums.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())
