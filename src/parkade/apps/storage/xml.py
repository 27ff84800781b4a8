"""XML as S3 and STS write and read it.

Read are small documents of clients. What makes XML dangerous (entities, document types, endless
depth) has no place in them and is refused where it begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TypeAlias
from xml.parsers import expat

from parkade.apps.storage.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: A tag with its text, or with the elements in it.
Element: TypeAlias = "tuple[str, str | Sequence[Element]]"

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
S3 = "http://s3.amazonaws.com/doc/2006-03-01/"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
#: No document that is read here is deeper than half of this.
_DEPTH = 8
#: Written as references: markup, and what a parser would change or refuse.
_REFERENCES = {
    **{code: f"&#{code};" for code in range(32) if chr(code) not in "\t\n"},
    0x7F: "&#127;",
    0xFFFE: "&#65534;",
    0xFFFF: "&#65535;",
    **str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}),
}


def written(root: Element, namespace: str = "") -> bytes:
    """Return an element without the declaration."""
    tag, _ = root
    text = "".join(_pieces(root))
    if namespace:
        text = text.replace(f"<{tag}", f'<{tag} xmlns="{namespace}"', 1)
    return text.encode()


def document(root: Element, namespace: str = "") -> bytes:
    """Return a whole document."""
    return DECLARATION + written(root, namespace)


def _pieces(element: Element) -> Iterator[str]:
    tag, content = element
    if isinstance(content, str):
        yield f"<{tag}>{content.translate(_REFERENCES)}</{tag}>"
        return
    yield f"<{tag}>"
    for each in content:
        yield from _pieces(each)
    yield f"</{tag}>"


@dataclass(slots=True)
class Node:
    """An element that was read; tags are without their namespace."""

    tag: str
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, tag: str) -> list[Node]:
        """Return the children with this tag."""
        return [child for child in self.children if child.tag == tag]

    def value(self, tag: str) -> str:
        """Return the text of the child with this tag; empty where there is none."""
        return next((child.text for child in self.children if child.tag == tag), "")


def read(data: bytes, root: str) -> Node:
    """Read a document whose outermost tag is `root`. Raises MalformedXML."""
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise malformed(str(error)) from error
    found = reader.top.children
    if not found or found[0].tag != root:
        raise malformed(f"it must begin with <{root}>")
    return found[0]


class _Reader:
    def __init__(self) -> None:
        self.top = Node("")
        self._open = [self.top]
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._open) > _DEPTH:
            raise malformed("it is too deep")
        node = Node(name.rpartition(":")[2])
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _doctype(self, *_: object) -> NoReturn:
        raise malformed("document types and entities are not taken")


def malformed(why: str) -> Fault:
    """Say what is wrong with a document."""
    return Fault("MalformedXML", 400, f"The XML you provided was not well-formed: {why}.")
