"""A place of its own for what is judged: a checkout in a temporary folder, as a clone would have it.

The user's working tree, index and refs stay as they are; git reads its objects where they are. What cannot be there is
refused: what is not in the commit must not decide over it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from parity._ground.errors import CheckNotMade
from parity._ground.git import GitError, git
from parity._ground.interruption import ended_as_interrupted
from parity.gate.check.judged import Submission
from parity.stacks.declaration import SUBJECTS, nearest

_NO_FILTERS = ("-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false")
_NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=never")
_SOMEBODY = {
    f"GIT_{who}_{what}": said
    for who in ("AUTHOR", "COMMITTER")
    for what, said in (("NAME", "parity"), ("EMAIL", "parity@localhost"), ("DATE", "1970-01-01T00:00:00Z"))
}
"""Who makes the commit that is judged: the same name for the same files."""


@contextmanager
def placed(root: Path, judged: Submission) -> Iterator[Path]:
    """A checkout whose last commit has what is judged, and whose commit before that is the base; gone at the end.

    Raises CheckNotMade where git refuses, and where a link or a submodule leads out of it.
    """
    with ended_as_interrupted(), TemporaryDirectory(prefix="parity-judged-") as temporary:
        folder = Path(temporary).resolve() / root.name
        folder.mkdir()
        try:
            _begin(root, folder)
            tree = f"{judged.commit}^{{tree}}" if judged.commit else _staged_tree(root, folder)
            base = judged.base or _commit(folder, _empty_tree(folder))
            _check_out(root, folder, _commit(folder, tree, base))
        except GitError as error:
            raise CheckNotMade(f"{judged.words} cannot be laid out to be judged: {error}") from error
        yield folder


def _begin(root: Path, folder: Path) -> None:
    """A repository without a ref, which has the objects of another."""
    kind = git(root, "rev-parse", "--show-object-format").decode().strip()
    git(folder, "init", "--quiet", "--template=", f"--object-format={kind}")
    information = folder / ".git" / "objects" / "info"
    information.mkdir(exist_ok=True)
    (information / "alternates").write_bytes(os.fsencode(_inside(root, "objects")) + b"\n")
    shallow = _inside(root, "shallow")
    if shallow.is_file():
        shutil.copyfile(shallow, folder / ".git" / "shallow")


def _inside(root: Path, name: str) -> Path:
    """Where git keeps something."""
    return root / os.fsdecode(git(root, "rev-parse", "--git-path", name).removesuffix(b"\n"))


def _staged_tree(root: Path, folder: Path) -> str:
    """The tree of a copy of the index; of the one that git names to a hook, if it does."""
    named = os.environ.get("GIT_INDEX_FILE")
    index, copy = root / named if named else _inside(root, "index"), folder / ".git" / "staged"
    if index.is_file():
        shutil.copyfile(index, copy)
    variables = {
        "GIT_INDEX_FILE": str(copy),
        "GIT_OBJECT_DIRECTORY": str(folder / ".git" / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(_inside(root, "objects")),
    }
    unmerged = git(root, "ls-files", "--unmerged", "-z", environment=variables)
    if unmerged:
        path = os.fsdecode(unmerged.split(b"\0")[0].partition(b"\t")[2])
        raise CheckNotMade(f"--staged: expected an index without conflicts, got {path} unmerged")
    return git(root, "write-tree", environment=variables).decode().strip()


def _empty_tree(folder: Path) -> str:
    return git(folder, "hash-object", "-w", "-t", "tree", os.devnull).decode().strip()


def _commit(folder: Path, tree: str, *parents: str) -> str:
    told = [word for parent in parents for word in ("-p", parent)]
    made = git(folder, *_NO_HOOKS, "commit-tree", tree, *told, "-m", "what is judged", environment=_SOMEBODY)
    return made.decode().strip()


def _check_out(root: Path, folder: Path, commit: str) -> None:
    git(folder, *_NO_HOOKS, *_NO_FILTERS, "checkout", "--quiet", "--force", "--detach", commit)
    for entry in git(folder, "ls-files", "--stage", "-z").split(b"\0"):
        mode, _, rest = os.fsdecode(entry).partition(" ")
        path = rest.partition("\t")[2]
        if mode == "120000":
            _require_inside(root, folder, path)
        elif mode == "160000":
            _check_out_submodule(root / path, folder / path, rest.split()[0], path)
    _fetch_large_files(root, folder)


def _require_inside(root: Path, folder: Path, path: str) -> None:
    """A link means here what it means in the commit. Raises CheckNotMade where it leads into the working tree."""
    target = (folder / path).readlink()
    leads = Path(os.path.normpath((folder / path).parent / target))
    leaves = leads.is_relative_to(root) if target.is_absolute() else not leads.is_relative_to(folder)
    if leaves:
        raise CheckNotMade(f"{path}: expected a link that stays in the repository, got one to {target}")


def _check_out_submodule(source: Path, folder: Path, commit: str, path: str) -> None:
    """What the submodule has of that commit; nothing where nobody has it."""
    if not (source / ".git").exists():
        raise CheckNotMade(f"{path}: expected the submodule to be here, got none: git submodule update --init")
    _begin(source, folder)
    _check_out(source, folder, commit)


def _fetch_large_files(root: Path, folder: Path) -> None:
    """The content of the files that Git LFS keeps elsewhere. Raises CheckNotMade for one that is not here."""
    for name in git(folder, "ls-files", "-z", ":(attr:filter=lfs)").split(b"\0"):
        path = os.fsdecode(name)
        file = folder / path
        pointer = file.read_bytes()[:1024] if name and file.is_file() else b""
        _, found, rest = pointer.partition(b"\noid sha256:")
        if found:
            oid = rest[:64].decode(errors="replace")
            content = _inside(root, "lfs") / "objects" / oid[:2] / oid[2:4] / oid
            if not content.is_file():
                raise CheckNotMade(f"{path}: expected its content from Git LFS, got a pointer to it: git lfs fetch")
            shutil.copyfile(content, file)


def link_environments(root: Path, folder: Path, below: Path) -> None:
    """Have the subjects find what their declaration names and git ignores, such as an environment.

    `below` is the folder within the repository from which they are declared. Raises CheckNotMade for what git does not
    ignore and the commit does not have, and UsageError as `nearest` does.
    """
    found = nearest(folder / below)
    if found is None or not found[0].file.is_relative_to(folder):
        return
    declaring = found[0].file.parent
    for name, table in found[1].get(SUBJECTS, {}).items():
        for key, path in _paths(table):
            _link(root, folder, (declaring / path).relative_to(folder), f"{found[0].file.name}: {name}.{key}")


def _paths(table: Any) -> Iterator[tuple[str, str]]:
    """The relative paths that a subject's declaration names, whatever it is."""
    for key in ("python", "path", "bindings") if isinstance(table, Mapping) else ():
        for value in table[key] if isinstance(table.get(key), list) else [table.get(key)]:
            if isinstance(value, str) and not Path(value).is_absolute():
                yield key, value


def _link(root: Path, folder: Path, named: Path, key: str) -> None:
    inside = Path(os.path.normpath(named))
    if ".." in inside.parts[:1]:
        raise CheckNotMade(f"{key}: expected a path within the repository, or an absolute one, got {named}")
    for part in (*reversed(inside.parents), inside):
        if not os.path.lexists(folder / part):
            break
    else:
        return
    if not os.path.lexists(root / part):
        return  # it is nowhere, as whoever reads the declaration will say
    if not _is_ignored(root, part):
        raise CheckNotMade(f"{key}: expected what is judged to have {inside}, got it in the working tree alone")
    (folder / part).symlink_to(root / part)


def _is_ignored(root: Path, path: Path) -> bool:
    try:
        return bool(git(root, "check-ignore", "--", str(path)))
    except GitError:
        return False
