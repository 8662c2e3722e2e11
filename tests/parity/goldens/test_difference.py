import runpy
import subprocess
from dataclasses import replace as with_fields
from pathlib import Path

import numpy as np
import pytest

from parity.goldens.difference import compare, read_set, sets
from parity.goldens.drift import Nature
from parity.goldens.errors import GoldenError
from parity.goldens.folder import GoldenSet, replace
from parity.goldens.record import encode
from parity.judging.quantity import result_of

factory = runpy.run_path(str(Path(__file__).with_name("factory.py")))
ERROR = result_of("mae")
FOLDER = Path("fixtures/golden")
EVEN, ODD = factory["golden"](), factory["golden"](stratum="odd")
MOVED = with_fields(EVEN, outputs={"torch": {ERROR: np.nextafter(EVEN.outputs["torch"][ERROR], np.float32(0))}})
"""Half of its bound away: one unit in the last place of 6, 2^-21."""


def by_name(*goldens):
    return {golden.name: golden for golden in goldens}


def files_of(*goldens):
    return {f"{golden.name}.npz": encode(golden) for golden in goldens}


def git(place, *arguments):
    identity = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two commits, the second with an output that moved and another golden; and the working directory inside."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / "README").write_text("no golden\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=nothing yet")
    replace(root / FOLDER, None, files_of(EVEN))
    git(root, "add", "fixtures")
    git(root, "commit", "--quiet", "--message=first")
    git(root, "tag", "first")
    replace(root / FOLDER, GoldenSet.read(root / FOLDER), files_of(MOVED, ODD))
    git(root, "add", "fixtures")
    git(root, "commit", "--quiet", "--message=second")
    monkeypatch.chdir(root)
    return root


def test_equal_sets_are_the_same():
    difference = compare(by_name(EVEN, ODD), by_name(ODD, with_fields(EVEN, provenance={"date": "2031-01-01"})))
    assert (difference.added, difference.removed, difference.drifts) == ((), (), {})
    assert (difference.nature, difference.worst, difference.largest) == (Nature.SAME, [], None)


def test_what_was_added_removed_and_moved_is_told_apart():
    third = factory["golden"](seed=3)
    difference = compare(by_name(EVEN, ODD), by_name(MOVED, third))
    assert (difference.added, difference.removed) == ((third.name,), (ODD.name,))
    assert [*difference.drifts] == [EVEN.name]
    ((drift,),) = difference.drifts.values()
    assert (drift.array, drift.nature, drift.ulps) == ("torch/value/mae", Nature.ROUNDING, 1.0)
    assert drift.bounds == 2.0**-21 / 1e-6
    assert difference.largest == drift


@pytest.mark.parametrize(
    ("old", "new", "nature"),
    [
        ([EVEN], [MOVED], Nature.ROUNDING),
        ([EVEN], [MOVED, ODD], Nature.ADDED),
        ([EVEN, ODD], [MOVED], Nature.SEMANTIC),
        ([EVEN], [factory["golden"](value=2.0)], Nature.SEMANTIC),
    ],
)
def test_the_most_serious_change_is_that_of_the_set(old, new, nature):
    assert compare(by_name(*old), by_name(*new)).nature is nature


def test_what_was_filled_in_did_not_move():
    both = with_fields(EVEN, outputs={**EVEN.outputs, "tensorflow": EVEN.outputs["torch"]})
    difference = compare(by_name(EVEN), by_name(both))
    assert (difference.nature, difference.largest) == (Nature.ADDED, None)


def test_two_revisions_are_compared(repository):
    difference = sets("first", "main", FOLDER)
    assert (difference.added, difference.removed, [*difference.drifts]) == ((ODD.name,), (), [EVEN.name])


def test_a_revision_is_compared_with_a_folder(repository, monkeypatch):
    assert sets("HEAD", "fixtures/golden", FOLDER).nature is Nature.SAME
    assert sets(str(repository / FOLDER), "HEAD~1", FOLDER).removed == (ODD.name,)
    monkeypatch.chdir(repository / "fixtures")
    assert sets("first", "golden", FOLDER).added == (ODD.name,)


def test_a_revision_has_what_was_committed_whatever_lies_in_the_folder_now(repository, monkeypatch):
    for file in (repository / FOLDER).rglob("*.npz"):
        file.write_bytes(b"")
    assert read_set("first", FOLDER).names == (EVEN.name,)
    monkeypatch.chdir(repository.parent)
    assert read_set("first", repository / FOLDER).names == (EVEN.name,)


def test_a_folder_with_a_manifest_wins_over_a_revision_of_its_name(repository):
    replace(repository / "first", None, files_of(ODD))
    assert read_set("first", FOLDER).names == (ODD.name,)


def test_a_folder_without_a_manifest_leaves_the_name_to_the_revision(repository):
    (repository / "first").mkdir()
    assert read_set("first", FOLDER).names == (EVEN.name,)


def test_line_endings_of_the_user_do_not_change_a_revision(repository):
    git(repository, "config", "core.autocrlf", "true")
    assert read_set("first", FOLDER).names == (EVEN.name,)


@pytest.mark.parametrize(
    ("text", "folder", "message"),
    [
        ("", FOLDER, "'': expected a folder with goldens or a git revision, got no name"),
        ("a\0b", FOLDER, "'a\\x00b': expected a folder with goldens or a git revision, got no name"),
        ("-h", FOLDER, "-h: expected a folder with manifest.json or a git revision, got an option"),
        ("secnod", FOLDER, "secnod: expected a folder with manifest.json or a git revision, got neither"),
        ("first..main", FOLDER, "first..main: expected a folder with manifest.json or a git revision, got neither"),
        ("^first", FOLDER, "^first: expected a folder with manifest.json or a git revision, got neither"),
        ("x" * 5000, FOLDER, f"{'x' * 5000}: expected a folder with manifest.json or a git revision, got neither"),
        ("main~2", FOLDER, "main~2: expected goldens in fixtures/golden at this revision, got no such folder"),
        ("main", Path("fixtures/g*"), "main: expected goldens in fixtures/g* at this revision, got no such folder"),
    ],
)
def test_what_is_neither_a_folder_nor_a_revision_is_refused(repository, text, folder, message):
    with pytest.raises(GoldenError) as refused:
        read_set(text, folder)
    assert str(refused.value) == message


@pytest.mark.parametrize("folder", [Path(".."), Path("/")])
def test_a_folder_outside_the_repository_is_refused(repository, folder):
    with pytest.raises(GoldenError, match="expected"):
        read_set("main", folder)


def test_a_revision_whose_set_is_not_whole_is_refused_by_its_name(repository):
    (repository / FOLDER / "extra").write_text("x")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=broken")
    with pytest.raises(GoldenError) as refused:
        read_set("HEAD", FOLDER)
    assert str(refused.value).startswith("HEAD: fixtures/golden: extra: expected")


def test_a_file_in_place_of_the_folder_is_refused(repository):
    with pytest.raises(GoldenError, match=r"^main: README: expected"):
        read_set("main", Path("README"))


def test_without_a_repository_only_folders_can_be_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GoldenError) as refused:
        read_set("main", FOLDER)
    assert str(refused.value) == ("main: expected a folder with manifest.json, for here is no git repository, got none")


def test_without_git_only_folders_can_be_named(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert read_set("fixtures/golden", FOLDER).names == (EVEN.name, ODD.name)
    with pytest.raises(GoldenError, match="got no such command"):
        read_set("main", FOLDER)
