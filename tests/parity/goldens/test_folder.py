import errno
import json
import os
import runpy
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from parity.goldens import folder as module
from parity.goldens.errors import GoldenError
from parity.goldens.folder import GoldenSet, recover, replace
from parity.goldens.manifest import MOST_BYTES, manifest_of

factory = runpy.run_path(str(Path(__file__).with_name("factory.py")))
FILES, CHANGED = factory["files"](), factory["files"](value=2.0)
EVEN = "losses.mae/even-0.npz"


@pytest.fixture
def folder(tmp_path):
    replace(tmp_path / "golden", None, FILES)
    return tmp_path / "golden"


def beside(folder):
    """What lies beside a folder, but for the lock."""
    return sorted(path.name for path in folder.parent.iterdir() if path not in (folder, folder.parent / ".golden.lock"))


def test_a_set_is_read_as_it_was_written(folder):
    read = GoldenSet.read(folder)
    assert read.files == FILES
    assert read.names == ("losses.mae/even-0", "losses.mae/even-1", "optics.diffract@2/whole-shifts-12")
    assert read.golden("losses.mae/even-1").seed == 1
    assert read.history == FILES["history.jsonl"]
    assert (folder / "manifest.json").read_bytes() == manifest_of(FILES)
    with pytest.raises(TypeError):
        read.files[EVEN] = b""


def test_a_golden_that_is_not_there(folder):
    with pytest.raises(
        GoldenError, match=r"^losses\.mae/odd-0: expected one of the 3 goldens of the set, got no golden$"
    ):
        GoldenSet.read(folder).golden("losses.mae/odd-0")


def test_nothing_is_where_a_set_begins(tmp_path):
    assert (GoldenSet.empty().names, GoldenSet.empty().history) == ((), b"")
    with pytest.raises(GoldenError) as caught:
        GoldenSet.read(tmp_path / "golden")
    assert str(caught.value) == f"{tmp_path / 'golden'}: expected a folder with goldens, got none"
    replace(tmp_path / "deeper" / "golden", GoldenSet.empty(), {})
    assert GoldenSet.read(tmp_path / "deeper" / "golden").files == {}


def test_an_unverified_set_is_not_read(folder):
    (folder / EVEN).unlink()
    (folder / "notes").touch()
    with pytest.raises(GoldenError) as caught:
        GoldenSet.read(folder)
    assert str(caught.value) == f"{folder}: {EVEN}: expected a file, got none (and 1 more)"


def test_changes_leave_the_set_that_was_read_as_it_was(folder):
    read = GoldenSet.read(folder)
    changed = read.with_changes({EVEN: None, "history.jsonl": b"{}\n"})
    assert {*changed} == {*FILES} - {EVEN}
    assert changed["history.jsonl"] == b"{}\n"
    assert read.files == FILES


def test_a_set_takes_the_place_of_another(folder):
    replace(folder, GoldenSet.read(folder), CHANGED)
    assert GoldenSet.read(folder).files == CHANGED
    assert beside(folder) == []
    only = {EVEN: FILES[EVEN]}
    replace(folder, GoldenSet.read(folder), only)
    assert GoldenSet.read(folder).files == only
    assert sorted(path.name for path in folder.iterdir()) == ["losses.mae", "manifest.json"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "golden").mkdir()
    replace(tmp_path / "golden", None, FILES)
    assert GoldenSet.read(tmp_path / "golden").files == FILES


def test_a_folder_may_be_named_relative_to_where_one_is(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    replace(Path("golden"), GoldenSet.read(Path("golden")), CHANGED)
    assert GoldenSet.read(folder).files == CHANGED
    assert beside(folder) == []


def test_files_that_stay_the_same_keep_their_times(folder):
    kept = "optics.diffract@2/whole-shifts-12.npz"
    for name in FILES:
        os.utime(folder / name, (1e9, 1e9))
    replace(folder, GoldenSet.read(folder), CHANGED)
    assert [name for name in FILES if (folder / name).stat().st_mtime == 1e9] == [kept]
    assert (folder / kept).stat().st_nlink == 1


def test_nothing_is_written_where_nothing_changes(folder):
    before = folder.stat()
    replace(folder, GoldenSet.read(folder), FILES)
    assert folder.stat() == before


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(tmp_path, mask):
    old = os.umask(mask)
    try:
        replace(tmp_path / "golden", None, FILES)
    finally:
        os.umask(old)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "golden").rglob("*") if path.is_file()}
    assert modes == {0o644}
    folders = [path for path in (tmp_path / "golden").rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "golden", *folders)} == {0o755}


def test_files_of_other_modes_are_set_right_without_touching_the_old(folder):
    (folder / EVEN).chmod(0o600)
    os.utime(folder / EVEN, (1e9, 1e9))
    replace(folder, GoldenSet.read(folder), {EVEN: FILES[EVEN]})
    status = (folder / EVEN).stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime) == (0o644, 1e9)


def unchanged(folder, files=FILES):
    return GoldenSet.read(folder).files == files and beside(folder) == []


def test_a_set_that_changed_meanwhile_is_not_replaced(folder):
    read = GoldenSet.read(folder)
    replace(folder, read, CHANGED)
    with pytest.raises(GoldenError, match=r"changed while it was recomputed; nothing was written$"):
        replace(folder, read, {EVEN: FILES[EVEN]})
    assert unchanged(folder, CHANGED)


def test_a_set_that_nobody_read_is_not_replaced(folder):
    for nothing in (None, GoldenSet.empty()):
        with pytest.raises(GoldenError, match=r"expected no set yet, got one .*nothing was written$"):
            replace(folder, nothing, CHANGED)
    assert unchanged(folder)


def test_a_set_that_is_gone_is_not_replaced(folder, tmp_path):
    read = GoldenSet.read(folder)
    folder.rename(tmp_path / "moved")
    with pytest.raises(GoldenError, match="nothing was written"):
        replace(folder, read, CHANGED)
    assert not folder.exists()


def test_what_someone_put_into_the_folder_meanwhile_is_not_lost(folder):
    read = GoldenSet.read(folder)
    (folder / "notes").write_text("mine")
    with pytest.raises(GoldenError, match=r"notes: expected nothing of that name.*nothing was written$"):
        replace(folder, read, CHANGED)
    assert (folder / "notes").read_text() == "mine"


def test_a_linked_folder_is_not_replaced(folder):
    link = folder.parent / "link"
    link.symlink_to(folder)
    with pytest.raises(GoldenError, match="a symbolic link"):
        replace(link, None, CHANGED)
    assert GoldenSet.read(folder).files == FILES
    assert beside(folder) == [".link.lock", "link"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"notes.txt": b""}, "a file named so"),
        ({"../losses.mae/even-0.npz": FILES[EVEN]}, "a file named so"),
        ({EVEN: b"PK"}, "uncompressed"),
        ({"history.jsonl": b"\n" * MOST_BYTES}, "at most 8000000 bytes"),
    ],
)
def test_what_verification_would_refuse_is_not_published(folder, files, words):
    with pytest.raises(GoldenError, match=words):
        replace(folder, GoldenSet.read(folder), files)
    assert unchanged(folder)


def test_a_folder_that_cannot_be_written_is_said_so(folder, monkeypatch):
    read = GoldenSet.read(folder)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(GoldenError, match=r"expected a folder that can be written, got No space left on device$"):
        replace(folder, read, CHANGED)
    assert unchanged(folder)


@pytest.mark.parametrize("step", ["_write", "_sync", "faults", "_publish"])
def test_an_interruption_leaves_nothing_behind(folder, monkeypatch, step):
    read = GoldenSet.read(folder)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace(folder, read, CHANGED)
    assert unchanged(folder)


def test_an_interruption_between_two_renames_puts_the_old_set_back(folder, monkeypatch):
    read = GoldenSet.read(folder)
    rename = Path.rename

    def interrupt(path, target):
        if path.name.startswith(".golden.staged-") and target == folder:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace(folder, read, CHANGED)
    assert unchanged(folder)


def test_a_set_away_between_two_renames_is_waited_for(folder):
    away = folder.parent / ".golden.replaced"
    held, back = threading.Event(), threading.Event()

    def swap():
        with FileLock(folder.parent / ".golden.lock"):
            folder.rename(away)
            held.set()
            back.wait(0.2)
            away.rename(folder)

    thread = threading.Thread(target=swap)
    thread.start()
    held.wait()
    try:
        assert GoldenSet.read(folder).files == FILES
    finally:
        back.set()
        thread.join()
    assert unchanged(folder)


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(folder):
    for name in (".golden.staged-a1", ".golden.replaced"):
        (folder.parent / name / "losses.mae").mkdir(parents=True)
        (folder.parent / name / EVEN).write_bytes(b"half")
    others = [".golden.mine", ".goldens.staged-a1", "golden.staged-a1"]
    for name in others:
        (folder.parent / name).mkdir()
    replace(folder, GoldenSet.read(folder), CHANGED)
    assert beside(folder) == sorted(others)
    assert GoldenSet.read(folder).files == CHANGED


def test_a_set_left_between_two_renames_is_found(folder):
    folder.rename(folder.parent / ".golden.replaced")
    recover(folder)
    assert unchanged(folder)
    folder.rename(folder.parent / ".golden.replaced")
    assert unchanged(folder)  # to read it is enough
    read = GoldenSet.read(folder)
    folder.rename(folder.parent / ".golden.replaced")
    replace(folder, read, CHANGED)
    assert unchanged(folder, CHANGED)


def test_one_writer_waits_for_another(folder):
    read = GoldenSet.read(folder)
    with (
        FileLock(folder.parent / ".golden.lock"),
        pytest.raises(GoldenError, match=r"expected no other writer, got one for 0\.1 s"),
    ):
        replace(folder, read, CHANGED, patience=0.1)
    replace(folder, read, CHANGED)
    assert unchanged(folder, CHANGED)


def test_of_writers_at_once_one_writes(folder):
    read = GoldenSet.read(folder)
    done, refused = [], []

    def write(value):
        try:
            replace(folder, read, factory["files"](value=value))
            done.append(value)
        except GoldenError:
            refused.append(value)

    threads = [threading.Thread(target=write, args=(float(value),)) for value in range(3, 9)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert (len(done), len(refused)) == (1, 5)
    assert unchanged(folder, factory["files"](value=done[0]))


def test_readers_find_a_whole_set_while_it_is_replaced(folder):
    stop = threading.Event()
    errors = []

    def alternate():
        old = GoldenSet(FILES)
        while not stop.is_set():
            new = GoldenSet(CHANGED if old.files == FILES else FILES)
            try:
                replace(folder, old, new.files)
            except GoldenError as error:
                errors.append(error)
                return
            old = new

    writer = threading.Thread(target=alternate)
    writer.start()
    try:
        seen = [GoldenSet.read(folder).files for _ in range(60)]
    finally:
        stop.set()
        writer.join()
    assert not errors
    assert all(files in (FILES, CHANGED) for files in seen)


KILLED = """
import json, os, runpy, shutil, signal, sys
from pathlib import Path
from parity.goldens import folder as module
from parity.goldens.folder import GoldenSet, recover, replace
from parity.goldens.manifest import faults

factory = runpy.run_path(sys.argv[1])
old, new = factory["files"](), factory["files"](value=2.0)
root = Path(sys.argv[2])
EVENTS = ("open", "os.", "shutil.", "tempfile.", "fcntl.")
left, armed = 0, False

def watch(event, arguments):
    global left
    if armed and event.startswith(EVENTS):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
pristine = root / "pristine"
replace(pristine, None, old)
expected = GoldenSet.read(pristine)
outcomes, finished, steps = {"old": 0, "new": 0, "put back": 0}, False, 0
while not finished:
    steps += 1
    place = root / str(steps)
    place.mkdir()
    folder = place / "golden"
    shutil.copytree(pristine, folder)
    child = os.fork()
    if child == 0:
        left, armed = steps, True
        replace(folder, expected, new)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    finished = os.WIFEXITED(status)
    assert finished or os.WTERMSIG(status) == signal.SIGKILL
    if not folder.exists():
        outcomes["put back"] += 1
        recover(folder)
    assert faults(folder) == [], (steps, faults(folder))
    files = GoldenSet.read(folder).files
    outcomes["old" if files == old else "new" if files == new else "neither"] += 1
    replace(folder, GoldenSet.read(folder), {"history.jsonl": b""})
    assert sorted(p.name for p in place.iterdir()) in (["golden"], [".golden.lock", "golden"]), steps
    shutil.rmtree(place)
print(json.dumps({"steps": steps, **outcomes}))
"""


def test_a_writer_killed_at_any_step_leaves_the_old_set_or_the_new(tmp_path):
    helper = Path(__file__).with_name("factory.py")
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(helper), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    outcomes = json.loads(ran.stdout)
    assert outcomes["steps"] > 50
    assert outcomes["old"] > 10
    assert outcomes["new"] > 10
    assert outcomes["put back"] == 1
