"""XML changed by edits at byte positions: whatever is not edited stays as it was, to the byte.

A tree written back loses prefixes on which ``mc:Ignorable`` relies, and with them whole features of
a workbook. Here expat only says where tags stand (it resolves no external entity, and a document
type is refused); the bytes between the edits are copied, in pieces.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers import expat

#: Longest start tag that is looked at, in bytes.
_KEPT = 1024 * 1024
_TAG = re.compile(rb"<([^\s/>]+)(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SEPARATOR = " "


class UnchangeableError(Exception):
    """A part that is not changed: no XML in UTF-8, or not of the expected form."""


class Edit(NamedTuple):
    """The bytes from ``start`` to ``end`` become ``new``; an insertion where the two are equal."""

    start: int
    end: int
    new: bytes


@dataclass(frozen=True)
class Tag:
    """A start tag as it stands.

    Attributes:
        start: position of its first byte.
        raw: its bytes, from ``<`` to ``>``.
    """

    start: int
    raw: bytes

    @property
    def end(self) -> int:
        """Position behind the tag."""
        return self.start + len(self.raw)

    @property
    def closed(self) -> bool:
        """Whether the element is empty: ``<c/>``."""
        return self.raw.endswith(b"/>")

    @property
    def name(self) -> bytes:
        """The name with its prefix."""
        found = _TAG.match(self.raw)
        return found[1] if found else b""

    def having(self, **values: str | int) -> bytes:
        """The tag with these attributes; the others stay as they are."""
        raw = self.raw
        for name, value in values.items():
            text = f'{name}="{escaped(str(value))}"'.encode()
            pattern = rb"(?<=\s)" + name.encode() + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')"
            raw, times = re.subn(pattern, text.replace(b"\\", rb"\\"), raw, count=1)
            if not times:
                at = 1 + len(self.name)
                raw = raw[:at] + b" " + text + raw[at:]
        return raw

    def filled(self, content: bytes) -> bytes:
        """An empty element with content."""
        return self.raw[:-2].rstrip() + b">" + content + b"</" + self.name + b">"


#: Local name (empty outside the main namespace), attributes, and what gives the tag.
OnStart = Callable[[str, dict[str, str], Callable[[], Tag]], None]
#: Local name, and position of the end tag; behind the tag for an empty element.
OnEnd = Callable[[str, int], None]


class Scan:
    """One pass over the tags of a part.

    Attributes:
        namespace: that of the root; names in it are given by their local name.
        declared: what an inserted element needs to be in that namespace: empty, or ``xmlns``.
    """

    def __init__(self, on_start: OnStart, on_end: OnEnd | None = None) -> None:
        self.namespace, self.declared, self.depth = "", b"", 0
        self._on_start, self._on_end = on_start, on_end
        self._buffer, self._base = b"", 0
        self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.XmlDeclHandler = _refuse_encoding

    def run(self, chunks: Iterable[bytes]) -> Scan:
        """Go over the part.

        Raises:
            UnchangeableError: it is no XML in UTF-8, or has a document type.
        """
        try:
            for chunk in chunks:
                if not self._base and not self._buffer and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise UnchangeableError("not UTF-8")
                self._base += max(0, len(self._buffer) - _KEPT)
                self._buffer = self._buffer[-_KEPT:] + chunk
                self._parser.Parse(chunk, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise UnchangeableError("not well-formed") from error
        return self

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        uri, _, local = name.rpartition(_SEPARATOR)
        if not self.depth:
            self.namespace = uri
            prefixed = b":" in self._tag().name
            self.declared = b' xmlns="' + uri.encode() + b'"' if prefixed else b""
        self.depth += 1
        self._on_start(local if uri == self.namespace else "", attributes, self._tag)

    def _end(self, name: str) -> None:
        self.depth -= 1
        if self._on_end is not None:
            uri, _, local = name.rpartition(_SEPARATOR)
            at = self._parser.CurrentByteIndex
            self._on_end(local if uri == self.namespace else "", at)

    def _tag(self) -> Tag:
        start = self._parser.CurrentByteIndex
        found = _TAG.match(self._buffer, start - self._base) if start >= self._base else None
        if found is None:
            raise UnchangeableError("a tag that is too long")
        return Tag(start, found[0])


def _refuse_doctype(*_: object) -> None:
    raise UnchangeableError("a document type")


def _refuse_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if (encoding or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnchangeableError("not UTF-8")


def edited(chunks: Iterable[bytes], edits: Iterable[Edit]) -> Iterator[bytes]:
    """Copy a part with edits.

    Args:
        chunks: the part.
        edits: they do not overlap; insertions at one place keep their order.

    Yields:
        The changed part, in pieces.
    """
    waiting = deque(sorted(edits, key=lambda edit: (edit.start, edit.end)))
    position = copied = 0
    for chunk in chunks:
        end = position + len(chunk)
        while waiting and waiting[0].start < end:
            edit = waiting.popleft()
            yield chunk[max(copied - position, 0) : max(edit.start - position, 0)]
            yield edit.new
            copied = edit.end
        if copied < end:
            yield chunk[max(copied - position, 0) :]
            copied = end
        position = end
    yield from (edit.new for edit in waiting)


def changed(part: bytes, edits: Iterable[Edit]) -> bytes:
    """A small part with edits."""
    return b"".join(edited([part], edits))


def element(part: bytes, tag: Tag, end: int) -> bytes:
    """An element with all that is in it; ``end`` is the position of its end tag."""
    return tag.raw if tag.closed else part[tag.start : part.index(b">", end) + 1]


def escaped(text: str) -> str:
    """A text fit to stand in XML, also in an attribute: what XML cannot hold is left out."""
    clean = _NOT_XML.sub("", text).replace("&", "&amp;").replace("<", "&lt;")
    return clean.replace(">", "&gt;").replace('"', "&quot;")
