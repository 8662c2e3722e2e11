import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.goldens import manifest as module
from parity.goldens.errors import GoldenError
from parity.goldens.manifest import MOST_BYTES, faults, manifest_of
from parity.goldens.npz import digest, unpacked
from parity.goldens.record import encode

factory = runpy.run_path(str(Path(__file__).with_name("factory.py")))
FILES = factory["files"]()
MANIFEST = manifest_of(FILES)
EVEN = "losses.mae/even-0.npz"
SIZE = len(FILES[EVEN])


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "golden"
    write(folder, {**FILES, "manifest.json": MANIFEST})
    return folder


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def said(folder):
    return [str(fault) for fault in faults(folder)]


def listing(change):
    """The manifest, canonical, after a change."""
    manifest = json.loads(MANIFEST)
    change(manifest)
    return (json.dumps(manifest, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def listed(name, **changes):
    """The manifest with these changes to the entry of one file."""
    return listing(lambda manifest: manifest["files"].setdefault(name, {}).update(changes))


def test_a_set_has_no_faults(folder):
    assert faults(folder) == []


def test_an_empty_set_has_no_faults(tmp_path):
    write(tmp_path, {"manifest.json": manifest_of({})})
    assert faults(tmp_path) == []


def test_the_manifest_is_a_function_of_the_files_alone():
    assert manifest_of(dict(reversed(FILES.items()))) == MANIFEST
    manifest = json.loads(MANIFEST)
    assert [*manifest["files"]] == sorted(FILES)
    arrays = unpacked(FILES[EVEN], "even")
    del arrays["provenance"]
    assert manifest["files"][EVEN]["arrays"] == {name: digest(array) for name, array in arrays.items()}


def test_arrays_of_the_manifest_do_not_tell_when_a_golden_was_made():
    later = factory["golden"](provenance={"date": "2027-01-01"})
    one, other = (json.loads(manifest_of({EVEN: content}))["files"][EVEN] for content in (FILES[EVEN], encode(later)))
    assert one["arrays"] == other["arrays"]
    assert one["sha256"] != other["sha256"]


@pytest.mark.parametrize(
    "name",
    ["even-0.npz", "../losses.mae/even-0.npz", "/losses.mae/even-0.npz", "losses.mae\\even-0.npz",
     "losses.mae/even.npz", "losses.mae/even-0.npz\n", "losses.mae/even-0.f32.npz",
     "a/b/even-0.npz", "./even-0.npz", "../even-0.npz",
     ".hidden/even-0.npz", "losses.mae/even-٣.npz", "manifest.json", "", "losses.mäe/even-0.npz"],
)  # fmt: skip
def test_only_goldens_and_the_history_are_listed(folder, name):
    with pytest.raises(GoldenError, match="expected <contract>/<stratum>-<seed>"):
        manifest_of({name: FILES[EVEN]})
    (folder / "manifest.json").write_bytes(listed(name, **json.loads(MANIFEST)["files"][EVEN]))
    (fault,) = faults(folder)
    assert fault.file == "manifest.json"
    assert fault.expected == "<contract>/<stratum>-<seed>.npz or history.jsonl"
    assert "\n" not in str(fault)


def test_no_manifest_is_made_of_what_is_no_golden():
    with pytest.raises(GoldenError, match=r"^losses\.mae/even-0: expected an uncompressed \.npz"):
        manifest_of({EVEN: b"PK"})
    with pytest.raises(GoldenError, match=r"^losses\.mae/even-7: expected the golden of that name"):
        manifest_of({"losses.mae/even-7.npz": FILES[EVEN]})


def test_a_folder_that_is_none(folder, tmp_path):
    assert said(tmp_path / "none") == [f"{tmp_path / 'none'}: expected a folder with goldens, got none"]
    (tmp_path / "link").symlink_to(folder)
    assert said(tmp_path / "link") == [f"{tmp_path / 'link'}: expected a folder with goldens, got a symbolic link"]
    (tmp_path / "file").write_bytes(b"12")
    assert said(tmp_path / "file") == [f"{tmp_path / 'file'}: expected a folder with goldens, got a file of 2 bytes"]
    assert len(said(Path("nul\0"))) == 1
    assert len(said(Path("n" * 5000))) == 1


def replaced(folder, name, content):
    (folder / name).write_bytes(content)


def linked(folder, name):
    target = folder.parent / "elsewhere"
    (folder / name).rename(target)
    (folder / name).symlink_to(target)


def flipped(content):
    return bytes([content[0] ^ 1]) + content[1:]


SHA = json.loads(MANIFEST)["files"][EVEN]["sha256"]
OF_FILES = {
    "a missing file": (lambda f: (f / EVEN).unlink(), [f"{EVEN}: expected a file, got none"]),
    "a truncated file": (
        lambda f: replaced(f, EVEN, FILES[EVEN][:-1]),
        [f"{EVEN}: expected {SIZE} bytes, got {SIZE - 1} (truncated)"],
    ),
    "an oversized file": (
        lambda f: os.truncate(f / EVEN, 10**12),
        [f"{EVEN}: expected {SIZE} bytes, got 1000000000000 (oversized)"],
    ),
    "a linked file": (lambda f: linked(f, EVEN), [f"{EVEN}: expected a file, got a symbolic link"]),
    "a link to nowhere": (
        lambda f: ((f / EVEN).unlink(), (f / EVEN).symlink_to("nowhere")),
        [f"{EVEN}: expected a file, got a symbolic link"],
    ),
    "a pipe": (
        lambda f: ((f / EVEN).unlink(), os.mkfifo(f / EVEN)),
        [f"{EVEN}: expected a file, got neither file nor folder"],
    ),
    "a folder for a file": (
        lambda f: ((f / EVEN).unlink(), (f / EVEN).mkdir()),
        [f"{EVEN}: expected a file, got a folder"],
    ),
    "a linked folder": (
        lambda f: linked(f, "losses.mae"),
        ["losses.mae: expected nothing of that name, got a symbolic link"],
    ),
    "a file for a folder": (
        lambda f: (shutil.rmtree(f / "losses.mae"), replaced(f, "losses.mae", b"1")),
        ["losses.mae: expected nothing of that name, got a file of 1 bytes"],
    ),
    "a linked history": (lambda f: linked(f, "history.jsonl"), ["history.jsonl: expected a file, got a symbolic link"]),
    "an extra file": (
        lambda f: replaced(f, "notes.txt", b"12345"),
        ["notes.txt: expected nothing of that name, got a file of 5 bytes"],
    ),
    "an extra golden": (
        lambda f: replaced(f, "losses.mae/even-2.npz", b""),
        ["losses.mae/even-2.npz: expected nothing of that name, got a file of 0 bytes"],
    ),
    "a leftover": (
        lambda f: replaced(f, ".even-0.npz.x1", b""),
        [".even-0.npz.x1: expected nothing of that name, got a file of 0 bytes"],
    ),
    "an extra empty folder": (
        lambda f: (f / "losses.nll").mkdir(),
        ["losses.nll: expected nothing of that name, got a folder"],
    ),
    "an extra link": (
        lambda f: (f / "loop").symlink_to(f),
        ["loop: expected nothing of that name, got a symbolic link"],
    ),
    "a name that terminals obey": (
        lambda f: replaced(f, "\x1b[2J", b""),
        ["\\x1b[2J: expected nothing of that name, got a file of 0 bytes"],
    ),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), ["manifest.json: expected a file, got none"]),
    "a linked manifest": (
        lambda f: linked(f, "manifest.json"),
        ["manifest.json: expected a file, got a symbolic link"],
    ),
    "an endless manifest": (
        lambda f: os.truncate(f / "manifest.json", 10**12),
        ["manifest.json: expected at most 16000000 bytes, got 1000000000000"],
    ),
    "another format": (
        lambda f: replaced(f, "manifest.json", listing(lambda m: m.update(format=2))),
        ["manifest.json: expected format 1, got 2"],
    ),
    "a forged digest": (
        lambda f: replaced(
            f, "manifest.json", listing(lambda m: m["files"][EVEN]["arrays"].update({"inputs/index": "0" * 64}))
        ),
        [f"manifest.json, {EVEN}, inputs/index: expected {digest(np.arange(3))}, got {'0' * 64}"],
    ),
    "a digest too few": (
        lambda f: replaced(f, "manifest.json", listing(lambda m: m["files"][EVEN]["arrays"].pop("inputs/index"))),
        [f"manifest.json, {EVEN}, inputs/index: expected {digest(np.arange(3))}, got none"],
    ),
    "a digest too many": (
        lambda f: replaced(f, "manifest.json", listing(lambda m: m["files"][EVEN]["arrays"].update(x="0" * 64))),
        [f"manifest.json, {EVEN}, x: expected no such array, got {'0' * 64}"],
    ),
}


@pytest.mark.parametrize("cause", OF_FILES)
def test_each_fault_is_named_once_and_nothing_else(folder, cause):
    break_it, expected = OF_FILES[cause]
    break_it(folder)
    assert said(folder) == expected


def test_other_content_of_the_same_size(folder):
    replaced(folder, EVEN, flipped(FILES[EVEN]))
    (fault,) = said(folder)
    assert fault.startswith(f"{EVEN}: expected SHA-256 {SHA}, got ")


def test_what_the_manifest_lists_but_is_no_golden(folder):
    content = flipped(FILES[EVEN])
    sha256 = module.hashlib.sha256(content).hexdigest()
    write(folder, {EVEN: content, "manifest.json": listed(EVEN, sha256=sha256)})
    (fault,) = said(folder)
    assert fault.startswith(f"{EVEN}: expected a golden, got losses.mae/even-0: expected an uncompressed .npz")


def test_all_faults_are_named_in_the_order_of_the_files(folder):
    for cause in ("an extra file", "a linked history", "a truncated file"):
        OF_FILES[cause][0](folder)
    assert [fault.file for fault in faults(folder)] == ["history.jsonl", EVEN, "notes.txt"]


def test_a_set_that_is_too_large(tmp_path):
    history = b"\n" * (MOST_BYTES - 200)
    files = {"history.jsonl": history}
    files["history.jsonl"] += b"\n" * (MOST_BYTES - len(history) - len(manifest_of(files)))
    write(tmp_path, files | {"manifest.json": manifest_of(files)})
    assert faults(tmp_path) == []
    files["history.jsonl"] += b"\n"
    write(tmp_path, files | {"manifest.json": manifest_of(files)})
    assert said(tmp_path) == [f"{tmp_path}: expected at most 8000000 bytes in all, got 8000001"]


def entry(**changes):
    return listed(EVEN, **changes)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"{", b"null", b"[]", b"1e999", b"NaN", b'{"format": 1}', b"[" * 10**6,
     b'{"a":' * 10**5, b"9" * 10**5,
     b'{"files": {}, "format": true}', b'{"files": [], "format": 1}', b'{"files": {}, "format": 1, "x": 0}',
     b'{"files": {"\\ud800": 0}, "format": 1}', MANIFEST[:-2], b"\xef\xbb\xbf" + MANIFEST,
     entry(bytes="1"), entry(bytes=-1), entry(bytes=True), entry(bytes=1.0),
     entry(bytes=10**30), entry(bytes=float("nan")),
     entry(sha256="0" * 63), entry(sha256="0" * 64 + "\n"), entry(sha256="A" * 64), entry(sha256=None), entry(more=1),
     entry(arrays=[]), entry(arrays={"x": 1}), entry(arrays=None), listed("history.jsonl", arrays={}),
     listed("losses.mae/even-9.npz", bytes=1), listing(lambda m: m["files"].update({EVEN: []}))],
)  # fmt: skip
def test_a_manifest_that_is_none_is_one_fault(folder, content):
    (folder / "manifest.json").write_bytes(content)
    (fault,) = faults(folder)
    assert fault.file == "manifest.json"
    str(fault).encode()
    assert len(str(fault)) < 500


@pytest.mark.parametrize(
    "content",
    [MANIFEST + b"\n", MANIFEST[:-1], MANIFEST.replace(b"\n", b"\r\n"), MANIFEST.replace(b": 1", b":  1"),
     json.dumps(json.loads(MANIFEST)).encode(), MANIFEST.replace(b'"format": 1', b'"format": 1,\n "format": 1'),
     MANIFEST.replace(b"inputs/index", b"inputs\\/index")],
)  # fmt: skip
def test_a_manifest_in_another_form_is_one_fault(folder, content):
    (folder / "manifest.json").write_bytes(content)
    (fault,) = faults(folder)
    assert fault.file.startswith("manifest.json, line ")
    assert fault.expected.startswith("the canonical form, ")


def test_no_damage_goes_unnoticed_and_none_raises(folder):
    rng = np.random.default_rng(2026)
    files = {**FILES, "manifest.json": MANIFEST}
    names = [*files]
    for _ in range(1000):
        name = names[rng.integers(len(names))]
        content = files[name]
        place = int(rng.integers(len(content)))
        if rng.random() < 0.3:
            damaged = content[:place]
        else:
            damaged = content[:place] + bytes([content[place] ^ int(rng.integers(1, 256))]) + content[place + 1 :]
        (folder / name).write_bytes(damaged)
        found = said(folder)
        assert found
        if name != "manifest.json":
            assert len(found) == 1
            assert found[0].startswith(f"{name}: ")
        (folder / name).write_bytes(content)
    assert faults(folder) == []


def test_a_file_that_cannot_be_read_is_a_fault(folder, monkeypatch):
    def refuse(path, size):
        if path.name == "even-0.npz":
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    monkeypatch.setattr(module, "_content", refuse)
    assert said(folder) == [f"{EVEN}: expected a file that can be read, got Permission denied"]


def test_a_set_exchanged_while_it_is_read_is_read_again(folder, monkeypatch):
    other = folder.parent / "other"
    changed = factory["files"](value=2.0)
    write(other, {**changed, "manifest.json": manifest_of(changed)})
    listing_of = module._listing

    def exchange(*arguments):
        if other.exists():
            folder.rename(folder.parent / "old")
            other.rename(folder)
        return listing_of(*arguments)

    monkeypatch.setattr(module, "_listing", exchange)
    assert module.verified(folder) == ([], changed)


def test_verifying_imports_no_framework():
    code = "import sys, parity.goldens.folder; print({'tensorflow', 'torch', 'scipy', 'skimage'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
