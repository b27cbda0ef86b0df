"""Seeded damage to files: to their bytes, to the parts of their archives, to the lines of texts."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable

#: What a number in a file may be replaced by.
_ODD_NUMBERS = (
    b"0", b"-1", b"1", b"65536", b"1048577", b"2147483648", b"4294967295", b"9" * 30, b"1e999",
    b"NaN", b"0x10", b"", b"A", b"99999999999999999999",
)  # fmt: skip
#: What may be put anywhere into a text.
_ODD_TEXTS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'"""', b"'", b"\r", b"\n\n\n", b"\t", b";", b",",
    b"=cmd()", b"\xc3", b"\xe2\x80\x8b", b"<", b"&lt;", b"]]>", b"<!--", b"\x1b[2J", b"../..",
    "Ω".encode(), b"%s%n", b"${x}", b"{{ x }}", b"' or 1=1 --", b"\\", b": : :", b"- - -",
)  # fmt: skip


def damaged(rng: random.Random, data: bytes) -> bytes:
    """A file with one to three faults; an archive also in one of its parts."""
    for _ in range(rng.randint(1, 3)):
        ways = [_bytes, _bytes, _text, _numbers]
        if data.startswith(b"PK"):
            ways = [_bytes, _member, _member, _member]
        data = rng.choice(ways)(rng, data)
    return data


def _bytes(rng: random.Random, data: bytes) -> bytes:
    """Flip, cut off, cut out, repeat, overwrite."""
    if not data:
        return b"\0"
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.choice((1, 4, 60, 600)))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: data[:start] + bytes((data[start] ^ 1 << rng.randrange(8),)) + data[start + 1 :],
        lambda: data[:start],
        lambda: data[:start] + data[end:],
        lambda: data[:end] + data[start:end] * rng.randint(1, 5) + data[end:],
        lambda: data[:start] + rng.randbytes(end - start) + data[end:],
        lambda: data[:start] + b"\xff" * (end - start) + data[end:],
    )
    return rng.choice(ways)()


def _text(rng: random.Random, data: bytes) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice(_ODD_TEXTS) * rng.choice((1, 1, 1, 50)) + data[place:]


def _numbers(rng: random.Random, data: bytes) -> bytes:
    found = list(re.finditer(rb"\d+", data[:2_000_000]))
    if not found:
        return _text(rng, data)
    number = rng.choice(found)
    return data[: number.start()] + rng.choice(_ODD_NUMBERS) + data[number.end() :]


def _member(rng: random.Random, data: bytes) -> bytes:
    """Damage one part of an archive and pack it again, so that its sums are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # an archive that an earlier fault has broken
        return _bytes(rng, data)
    weighed = [name for name in parts if "theme" not in name and "Thumb" not in name]
    if not weighed:
        return _bytes(rng, data)
    name = rng.choice(weighed)
    way = rng.randrange(8)
    if way == 0:
        del parts[name]
    elif way == 1:
        parts[rng.choice((f"../{name}", name.upper(), f"x/{name}"))] = parts[name]
    else:
        parts[name] = rng.choice((_bytes, _text, _numbers, _numbers))(rng, parts[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return buffer.getvalue()
