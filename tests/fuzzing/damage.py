"""A grammar of damage: what can become of a file, drawn from a seed.

A file is damaged as bytes, as JSON or TOML, as an archive of arrays, or something else stands in its place. Every
production draws where and how; nothing here knows what a file means.
"""

import gzip
import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from ptycho_exposures.npz import UNREADABLE

Damage = Callable[[Random, bytes], bytes]

RAW = ("1e400", "NaN", "-Infinity", "9" * 400, "9" * 5000, "[" * 10**5, '{"a":' * 10**4, "-0", "1E-400", "0x10", "tru")
"""What stands in place of a value in JSON without being one, or being an extreme one."""

TEXTS = (
    "",
    " ",
    "\x00",
    "\x1b[2J",
    "\x9b31m",
    "\u202e",
    "\ud800",
    "a\nb",
    "nan",
    "inf",
    "-inf",
    "\\",
    "x" * 10**4,
    "[/]",
)


def value(random: Random, like: Any = None) -> Any:
    """A value of JSON: of another type, extreme, or near the one that was there."""
    if isinstance(like, int | float) and not isinstance(like, bool) and random.random() < 0.3:
        return random.choice([-like, like * 10.0 ** random.randint(-300, 300), like + 1, like / 3])
    return random.choice(
        [
            None,
            True,
            False,
            random.randint(-3, 3),
            random.choice([-1, 1]) * 2 ** random.randint(31, 2000),
            random.uniform(-1, 1) * 10.0 ** random.randint(-320, 307),
            random.choice(TEXTS),
            [],
            {},
            [random.choice(TEXTS)] * random.randint(1, 3),
            {random.choice(TEXTS): 1},
        ]
    )


LIES = (
    "-1",
    "10**9",
    "9" * 14,
    "True",
    "1.5",
    "None",
    "'|O'",
    "'<f4",
    "(" * 200,
    "[('a', '<f4')]",
    "",
    "'|S9999999999'",
)
"""What stands in the header of an array."""


class Raw(str):
    """Text that is written into JSON as it is."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may be there twice."""


def _places(tree: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, one in items:
        found.append((tree, key))
        _places(one, found)
    return found


def in_json(random: Random, content: bytes) -> bytes:
    """One to three changes anywhere in the tree."""
    tree = json.loads(content)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        places = _places(tree, [])
        if not places:
            break
        holder, key = random.choice(places)
        match random.randint(0, 7):
            case 0 if isinstance(holder, dict):
                holder[random.choice([*TEXTS, key.upper(), key[:-1]])] = holder.pop(key)
            case 1 if isinstance(holder, dict):
                holder[key] = Raw(f"{_written(holder[key])},{json.dumps(key)}:{_written(value(random))}")
            case 2:
                del holder[key]
            case 3 if isinstance(holder, list):
                holder.insert(random.randint(0, len(holder)), holder[key])
            case 4:
                other, place = random.choice(places)
                holder[key] = json.loads(_plain(other[place]))
            case 5:
                holder[key] = Raw(random.choice(RAW))
            case _:
                holder[key] = value(random, holder[key])
    return _written(tree).encode(errors="surrogatepass")


def _plain(tree: Any) -> str:
    return json.dumps(tree, default=str)


def _written(tree: Any) -> str:
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_written(one)}" for key, one in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(_written, tree)) + "]"
    return json.dumps(tree, ensure_ascii=False)


def in_lines(random: Random, content: bytes) -> bytes:
    """Lines of a text left out, doubled or moved, and values of TOML changed."""
    lines = content.decode().splitlines()
    for _ in range(random.choice([1, 1, 2, 3])):
        place = random.randrange(len(lines))
        key, equals, _ = lines[place].partition(" = ")
        match random.randint(0, 5):
            case 0 if len(lines) > 1:
                del lines[place]
            case 1:
                lines.insert(random.randrange(len(lines)), lines[place])
            case 2:
                lines[place] = f"{key[:-1]} = 1"
            case 3 if equals:
                lines[place] = f"{key} = {lines[random.randrange(len(lines))].partition(' = ')[2]}"
            case _:
                told = json.dumps(value(random), ensure_ascii=random.random() < 0.5).replace("null", "{}")
                lines[place] = f"{key} = {random.choice([told, *RAW, 'nan', '-inf', '1979-05-27'])}"
    return "\n".join(lines).encode(errors="surrogatepass")


def in_bytes(random: Random, content: bytes) -> bytes:
    """Bits flipped, bytes cut off, cut out, doubled, overwritten or put in."""
    damaged = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 5, 50])):
        first = random.randrange(len(damaged) + 1)
        last = min(len(damaged), first + random.choice([1, 2, 16, 1000]))
        match random.randint(0, 5):
            case 0:
                del damaged[first:]
            case 1:
                del damaged[first:last]
            case 2:
                damaged[first:first] = damaged[first:last]
            case 3:
                damaged[first:last] = random.randbytes(last - first)
            case 4:
                damaged[first:first] = random.randbytes(random.randint(1, 9))
            case _ if first < len(damaged):
                damaged[first] ^= 1 << random.randrange(8)
    return bytes(damaged)


def in_encoding(random: Random, content: bytes) -> bytes:
    """The same in another encoding or container, or nothing."""
    other = random.choice(["utf-16", "utf-8-sig", "utf-32"])
    return random.choice(
        [
            lambda: b"",
            lambda: gzip.compress(content),
            lambda: content.decode(errors="replace").encode(other),
            lambda: content + b"\x00" * random.randint(1, 99),
            lambda: content * 2,
        ]
    )()


def in_archive(random: Random, content: bytes) -> bytes:
    """Arrays of an .npz left out, doubled, of another type, shape or value, or under a header that lies."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(random.choice([1, 1, 2, 3])):
        if members:
            name = random.choice([*members])
            match random.randint(0, 6):
                case 0:
                    del members[name]
                case 1:
                    members[random.choice(["../x.npy", "/etc/x.npy", "", name.upper(), f"{name}.npy"])] = members.pop(
                        name
                    )
                case 2 | 3:
                    members[name] = _array(random, members[name])
                case 4 | 5:
                    members[name] = _header(random, members[name])
                case _:
                    members[name] = in_bytes(random, members[name])
    written = io.BytesIO()
    compression = random.choice([zipfile.ZIP_STORED] * 3 + [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, compression)
    whole = written.getvalue()
    if random.random() < 0.1:  # as if it were encrypted
        place = whole.rfind(b"PK\x01\x02") + 8
        whole = whole[:place] + b"\x01" + whole[place + 1 :]
    return in_bytes(random, whole) if random.random() < 0.1 else whole


def _array(random: Random, member: bytes) -> bytes:
    try:
        array = np.lib.format.read_array(io.BytesIO(member), allow_pickle=False)
    except UNREADABLE:
        return member
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        changed = random.choice(
            [
                lambda: array.astype(random.choice(["f2", ">f4", "f8", "c8", "i4", "?", "u1", "S3", "M8[s]"])),
                lambda: array.ravel(),
                lambda: array[np.newaxis],
                lambda: array.T,
                lambda: array[..., :0] if array.ndim else array,
                lambda: array[1:] if array.ndim else array,
                lambda: np.full_like(array, random.choice([0, -1, 1e300, np.nan, np.inf])),
                lambda: np.array([None, "pickle"], object),
                lambda: np.array("\x1b[2J" + random.choice(TEXTS)),
                lambda: np.zeros(2**20, "f8"),
            ]
        )
        written = io.BytesIO()
        try:
            np.lib.format.write_array(written, np.asarray(changed()), allow_pickle=True)
        except (TypeError, ValueError, OverflowError):
            return member
    return written.getvalue()


def _header(random: Random, member: bytes) -> bytes:
    """Another header before the same data."""
    size = int.from_bytes(member[8:10], "little")
    header, data = member[10 : 10 + size].decode("latin-1"), member[10 + size :]
    token = random.choice(["(", ")", ",", "'<f4'", "'descr'", "True", "False", "{", "}", "'", "(8, 8)", "1", "8"])
    lie = random.choice(LIES)
    changed = header.replace(token, lie, random.choice([1, -1]))
    version = bytes([random.choice([1, 1, 1, 2, 3, 9]), 0])
    length = len(changed).to_bytes(2 if version[0] == 1 else 4, "little")
    if random.random() < 0.1:
        length = b"\xff" * len(length)
    return member[:6] + version + length + changed.encode("latin-1") + data


def in_place_of(random: Random, path: Path) -> None:
    """Something that is no file: a pipe, a folder, a device, a link to nothing, to itself, nothing, too much."""
    path.unlink()
    random.choice(
        [
            lambda: os.mkfifo(path),
            path.mkdir,
            lambda: path.symlink_to("/dev/zero"),
            lambda: path.symlink_to("/dev/stdin"),
            lambda: path.symlink_to("nothing"),
            lambda: path.symlink_to(path),
            lambda: None,
            lambda: _sparse(path),
        ]
    )()


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**42)
