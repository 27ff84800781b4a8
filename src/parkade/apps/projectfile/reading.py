"""parkade.yaml read on the client: one stage of it, whole, with all that is wrong told at once.

A file is read into a tree that knows its lines, its stages are laid over it, variables of the
environment are put in, and what comes of that is checked: section by section, between sections,
and against the files that it names.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from parkade.apps.projectfile import (
    checks,
    jsonfile,
    overlays,
    secrets,
    tomlfile,
    variables,
    yamlfile,
)
from parkade.apps.projectfile.content import Content
from parkade.apps.projectfile.document import Document, containers, references
from parkade.apps.projectfile.explaining import explained, place_of
from parkade.apps.projectfile.models import BuiltImage
from parkade.apps.projectfile.problem import BadDocument, BadFile, Place, Problem, spelt
from parkade.apps.projectfile.tree import Leaf, Mark, Row, Table, mark_of, places, plain
from parkade.domain import cases
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from parkade.apps.projectfile.tree import Tree

#: What a file is called where none is named.
USUAL = "parkade.yaml"
#: No project file is larger: a thousand endpoints take less.
MOST_BYTES = 1_000_000
#: What is told of one file at most.
MOST_TOLD = 50
_READERS = {
    ".yaml": yamlfile.read,
    ".yml": yamlfile.read,
    ".json": jsonfile.read,
    ".toml": tomlfile.read,
}
#: Where JSON files say what editors check them with.
_EDITORS = "$schema"
_NUMBERS = frozenset({"int_type", "float_type", "bool_type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Something of this machine that has to be stored before a server can use it."""

    #: The model, or the container of a pipeline, that it belongs to.
    place: Place
    path: Path
    #: Whether it is a folder, and to be packed.
    folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """One stage of a file, checked."""

    path: Path
    content: Content
    #: What was read, with its lines.
    tree: Table = field(repr=False)
    #: Folders and archives of this machine that models are made from.
    locals: tuple[Local, ...] = ()
    #: Values of the references, by what they name.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: The tester's cases, where they are in a file.
    cases: list[dict[str, Any]] | None = None

    def document(self, addresses: Mapping[Place, str]) -> Document:
        """Return what is sent to a server; `addresses` say where each of `locals` was stored."""
        body = self.content.model_dump(mode="json", exclude_unset=True)
        for each in self.locals:
            inner: Any = body
            for part in each.place:
                inner = inner[part]
            inner.pop("source" if each.folder else "archive")
            inner["data"] = addresses[each.place]
        if self.cases is not None:
            body["tester"]["cases"] = self.cases
        return Document.model_validate(body | {"secrets": dict(self.secrets)})

    def located(self, error: InvalidInput) -> InvalidInput:
        """Return what was refused of this file by its lines; what is not of the file, as it is."""
        if isinstance(error, BadFile):
            return error
        if isinstance(error, BadDocument):
            return _told(error.problems, self.tree).within(str(self.path))
        about = [place for place in places(self.tree) if _is_about(error.field, spelt(place))]
        if not about:
            return error
        mark = mark_of(self.tree, max(about, key=len))
        text = f"{error.field}: {error.message}"
        return BadFile.of(mark, text, hint=error.hint).within(str(self.path))


def read(
    path: Path, *, stage: str | None, environment: Mapping[str, str], whole: bool = True
) -> ProjectFile:
    """Return one stage of a file. Raises BadFile, which tells all that is wrong with it.

    Unless it is to be `whole`, files and secrets that it names are not looked at: for whoever only
    has to know which project is meant.
    """
    try:
        return _read(path, stage, environment, whole=whole)
    except BadFile as error:
        raise error.within(str(path)) from error


def _read(
    path: Path, stage: str | None, environment: Mapping[str, str], *, whole: bool
) -> ProjectFile:
    tree, chosen = overlays.staged(parse(path), stage)
    _require_none(secrets.written_inside(tree), tree)
    filled, unset = variables.substituted(tree, environment)
    _require_none(unset, filled)
    if chosen:
        filled = replace(filled, entries={**filled.entries, overlays.STAGE: Leaf(chosen)})
    _require_none(secrets.written_inside(filled), filled)
    content = _content(filled)
    if not whole:
        _require_none(checks.problems(content), filled)
        return ProjectFile(path=path, content=content, tree=filled)
    look = _Look(path.parent, content, environment)
    _require_none([*checks.problems(content), *look.problems], filled)
    return ProjectFile(
        path=path,
        content=content,
        tree=filled,
        locals=look.locals,
        secrets=look.values,
        cases=look.cases,
    )


def parse(path: Path) -> Table:
    """Return what a file says, with its lines. Raises BadFile, without the file's name."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadFile.of(
            Mark(),
            f"{path.suffix or 'a name without ending'} is no kind of project file",
            hint="write YAML, JSON or TOML: " + ", ".join(_READERS),
        )
    if path.is_fifo():  # nobody may ever write to it
        raise BadFile.of(Mark(), "it is a pipe, and no file")
    tree = reader(text_of(path))
    if tree is None:
        raise BadFile.of(Mark(), "it is empty", hint="begin with: parkade init DIR")
    if not isinstance(tree, Table):
        raise BadFile.of(tree.mark, "it is not a mapping of keys such as project and models")
    entries = {key: each for key, each in tree.entries.items() if key != _EDITORS}
    return replace(tree, entries=entries)


def text_of(path: Path, noun: str = "project file") -> str:
    """Return the text of a file. Raises BadFile for what is too large, no file, or no text."""
    try:
        if path.is_dir():
            raise BadFile.of(Mark(), "it is a folder", hint=f"name the file: {path / USUAL}")
        with path.open("rb") as source:
            content = source.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        hint = "check the path; parkade init DIR makes a new project"
        raise BadFile.of(Mark(), "there is no such file", hint=hint) from error
    except OSError as error:
        raise BadFile.of(Mark(), f"it cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise BadFile.of(
            Mark(),
            f"it is larger than {MOST_BYTES // 1_000_000} MB, which no {noun} is",
            hint="is it the right file?",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadFile.of(Mark(line), "it is not UTF-8 text", hint="save it as UTF-8") from error


def _content(tree: Table) -> Content:
    try:
        return Content.model_validate(plain(tree))
    except ValidationError as error:
        meant = _as_numbers(tree, error)
        if meant is not None:
            return _content(meant)
        _require_none(explained(error, Content), tree)
        raise  # pydantic found something, so that it has been told


def _as_numbers(table: Table, error: ValidationError) -> Table | None:
    """Return the table with variables as numbers where those are wanted; None: there are none."""
    wanted = {
        place_of(each["loc"])
        for each in error.errors(include_url=False)
        if each["type"] in _NUMBERS
    }
    meant = _Meant(wanted)
    result = meant.table(table, ())
    return result if meant.changed else None


class _Meant:
    """Reads texts of variables anew, as YAML reads what stands without quotes."""

    def __init__(self, wanted: set[Place]) -> None:
        self._wanted = wanted
        self.changed = False

    def table(self, table: Table, place: Place) -> Table:
        entries = {key: self._tree(each, (*place, key)) for key, each in table.entries.items()}
        return replace(table, entries=entries)

    def _tree(self, tree: Tree, place: Place) -> Tree:
        if isinstance(tree, Table):
            return self.table(tree, place)
        if isinstance(tree, Row):
            items = [self._tree(each, (*place, number)) for number, each in enumerate(tree.items)]
            return replace(tree, items=items)
        if not tree.of_variable or place not in self._wanted or not isinstance(tree.value, str):
            return tree
        value = yamlfile.scalar(tree.value)
        self.changed = self.changed or not isinstance(value, str)
        return replace(tree, value=value)


def _require_none(problems: list[Problem], tree: Tree) -> None:
    """Raise BadFile that tells all problems, where there are any."""
    if problems:
        raise _told(problems, tree)


def _is_about(field: str, place: str) -> bool:
    """Tell whether a field is a place of a file, or within it."""
    return field == place or field.startswith((f"{place}.", f"{place}["))


def _told(problems: Sequence[Problem], tree: Tree) -> BadFile:
    """Return what tells all problems, in the order of their lines."""
    told = [(mark_of(tree, each.place), f"{spelt(each.place)}: {each.words}") for each in problems]
    told = list(dict.fromkeys(sorted(told, key=lambda each: (each[0].line, each[0].column))))
    if len(told) > MOST_TOLD:
        more = len(told) - MOST_TOLD
        told = [*told[:MOST_TOLD], (Mark(), f"and {more} more")]
    return BadFile(told)


class _Look:
    """Looks at what a content names on this machine: folders, archives, cases, secrets."""

    def __init__(self, folder: Path, content: Content, environment: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.values: dict[str, str] = {}
        self.cases: list[dict[str, Any]] | None = None
        self._folder = folder
        self.locals = tuple(self._locals(content))
        self._images(content)
        for place, reference in references(content):
            found = secrets.read(reference, place, folder, environment)
            if isinstance(found, Problem):
                self.problems.append(found)
            elif found is not None:
                self.values[str(reference)] = found
        if content.tester is not None and isinstance(content.tester.cases, str):
            self.cases = self._cases(content.tester.cases)

    def _locals(self, content: Content) -> list[Local]:
        found = []
        for place, data in containers(content):
            if data.source is not None:
                local = Local(place=place, path=self._folder / data.source, folder=True)
                if not local.path.is_dir():
                    self._missing((*place, "source"), local.path, "folder")
                found.append(local)
            elif data.archive is not None:
                local = Local(place=place, path=self._folder / data.archive, folder=False)
                if not local.path.is_file():
                    self._missing((*place, "archive"), local.path, "file")
                elif not tarfile.is_tarfile(local.path):
                    message = f"{local.path} is no archive (.tar.gz)"
                    hint = "pack one with: parkade model pack DIR; or name the folder as source"
                    self.problems.append(
                        Problem(place=(*place, "archive"), message=message, hint=hint)
                    )
                found.append(local)
        return found

    def _images(self, content: Content) -> None:
        for key, model in content.models.items():
            if not isinstance(model.image, BuiltImage):
                continue
            place, path = ("models", key, "image", "folder"), self._folder / model.image.folder
            if not path.is_dir():
                self._missing(place, path, "folder")
            elif not (path / "Dockerfile").is_file():
                message = f"{path} has no Dockerfile, so no image can be built of it"
                self.problems.append(Problem(place=place, message=message))

    def _missing(self, place: Place, path: Path, noun: str) -> None:
        there = "it is a file" if path.is_file() else "it is a folder" if path.is_dir() else ""
        hint = there or "relative paths begin at the folder of the file that names them"
        self.problems.append(Problem(place=place, message=f"there is no {noun} {path}", hint=hint))

    def _cases(self, name: str) -> list[dict[str, Any]] | None:
        """Return the cases of a file: a JSON list of objects."""
        place, path = ("tester", "cases"), self._folder / name
        if not path.is_file():
            self._missing(place, path, "file")
            return None
        try:
            text = text_of(path, "file of cases")
            cases.read(text, name=str(path))
        except BadFile as error:
            self.problems.append(Problem(place=place, message=f"{path}: {error.lines[0]}"))
            return None
        except InvalidInput as error:
            self.problems.append(Problem(place=place, message=error.message, hint=error.hint))
            return None
        return list(json.loads(text))
