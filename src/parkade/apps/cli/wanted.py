"""What a file asks a server for: its document, and the archives that belong to it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps.cli import archives, render
from parkade.apps.projectfile import clouds, document
from parkade.domain import names
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parkade.apps.cli.archives import Archive
    from parkade.apps.cli.client import Client
    from parkade.apps.projectfile.content import Content
    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.reading import ProjectFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One stage of a file as a server takes it."""

    content: Content
    document: Document
    archives: tuple[Archive, ...]
    #: What the file has for other clouds alone, and why it is left out here.
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, file: ProjectFile) -> Wanted:
        """Read the folders and archives that the file names; nothing is packed, or sent."""
        content = file.content
        found = {}
        with _reading() as tell:
            for each in file.locals:
                model = str(each.place[1])
                tell(f"reading model {model}")
                found[each.place] = archives.read(
                    model, each.path, bucket=content.archives, prefix=content.prefix
                )
        _, left = clouds.embedded(content)
        return cls(
            content=content,
            document=file.document({place: each.address for place, each in found.items()}),
            archives=tuple(found.values()),
            left_out=tuple(str(each) for each in left),
        )


@contextmanager
def _reading() -> Iterator[Callable[[str], None]]:
    """Show what is being read where that is drawn; it is worth no line of a log."""
    if render.draws_progress():
        with render.working("reading models") as tell:
            yield tell
    else:
        yield lambda _: None


def difference(client: Client, wanted: Wanted, *, adopt: bool = False) -> dict[str, Any]:
    """Ask for the difference, and look whether the objects are there that the file names."""
    told: dict[str, Any] = client.post(
        "projects", body=wanted.document.sent(), dry_run=True, adopt=adopt
    )
    made = {each["key"] for each in told["changes"] if each["kind"] == "model"}
    told["problems"] += _missing(client, wanted, made)
    return told


def _missing(client: Client, wanted: Wanted, models: set[str]) -> Iterator[dict[str, Any]]:
    """Tell which objects of models that are to be made are not there.

    What comes under the prefix of a multi-model one may come yet.
    """
    stored = {each.address for each in wanted.archives}
    here, _ = clouds.embedded(wanted.document)
    for place, data in document.containers(here):
        model = str(place[1])
        if model not in models or data.data is None or data.data in stored:
            continue
        if getattr(data, "multi_model", False):
            continue
        trouble = _trouble(client, data.data)
        if trouble:
            yield {
                "message": trouble,
                "hint": f"store it: parkade model push FILE.tar.gz {data.data}; or correct the file",
                "kind": "model",
                "name": model,
                "field": "data",
            }


def _trouble(client: Client, address: str) -> str:
    """Say what is wrong with an address; empty: what it names is there."""
    try:
        bucket, key = names.s3_address(address, field="data")
    except InvalidInput as error:
        return error.message
    return "" if client.exists(bucket, key) else f"there is no object {address}"
