"""Subjects are read as they are declared, from the nearest file, and whatever is wrong is said in one sentence."""

import pickle
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from parity._ground.errors import UsageError
from parity._ground.repository import ROOT
from parity.stacks import MIRRORED
from parity.stacks.base import Stack
from parity.stacks.subjects import Domain, Subject, subject, subjects_in

LEAST = 'framework = "torch"\npackage = "mine"\nmirror = true\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The root of a checkout, with something for paths to lead to."""
    for folder in (".git", "src/deep", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bindings.py").touch()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return tmp_path.resolve()


def declare(folder: Path, body: str = LEAST, name: str = "mine") -> Path:
    file = folder / "parity.toml"
    file.write_text(f"[subjects.{name}]\n{body}", encoding="utf-8")
    return file


def complaint(start: Path) -> str:
    with pytest.raises(UsageError) as raised:
        subjects_in(start)
    message = str(raised.value)
    assert message.isprintable()
    return message


def test_this_repository_declares_its_own_two_stacks_like_a_strangers() -> None:
    found = subjects_in(ROOT)
    assert {name: Stack(one.name, one.framework, one.package) for name, one in found.items()} == MIRRORED
    assert list(found) == list(MIRRORED)
    assert {(one.bindings, one.root, one.path, one.python) for one in found.values()} == {
        (None, ROOT, (ROOT,), Path(sys.executable))
    }


def test_what_is_not_declared_holds_for_all_inputs(repository: Path) -> None:
    file = declare(repository)
    assert subject("mine", repository) == Subject(
        name="mine",
        framework="torch",
        package="mine",
        root=repository,
        file=file,
        python=Path(sys.executable),
        path=(repository,),
        bindings=None,
        domain=Domain(square=False, even=False, modes=(), batch=None),
        shapes=(),
        stubs=(),
        environment={},
        accepts=(),
        limit=None,
    )


def test_all_keys_are_read(repository: Path) -> None:
    file = declare(
        repository,
        """
        framework = "jax"
        package = "mine.physics"
        bindings = "src/../bindings.py"
        python = "bin/python"
        path = ["src", "."]
        domain = { square = true, even = true, modes = [1, 3], batch = 63 }
        shapes = [[16, 16], [32, 32]]
        stubs = ["mlflow", "mlflow.tracking"]
        environment = { TF_USE_LEGACY_KERAS = "1" }
        accepts = ["default dtype", "threads"]
        limit = 2.5
        """,
    )
    assert subjects_in(repository)["mine"] == Subject(
        name="mine",
        framework="jax",
        package="mine.physics",
        root=repository,
        file=file,
        python=repository / "bin" / "python",
        path=(repository / "src", repository),
        bindings=repository / "bindings.py",
        domain=Domain(square=True, even=True, modes=(1, 3), batch=63),
        shapes=((16, 16), (32, 32)),
        stubs=("mlflow", "mlflow.tracking"),
        environment={"TF_USE_LEGACY_KERAS": "1"},
        accepts=("default dtype", "threads"),
        limit=2.5,
    )


def test_a_subject_can_be_sent_to_a_process_and_looked_up(repository: Path) -> None:
    declare(repository, LEAST + 'environment = { A = "1" }')
    one = subject("mine", repository)
    assert pickle.loads(pickle.dumps(one)) == one
    assert one in {one}


def test_the_nearest_file_that_declares_subjects_is_read(repository: Path) -> None:
    declare(repository, name="outer")
    deep = repository / "src" / "deep"
    (deep / "pyproject.toml").write_text("[project]\nname = 'deep'\n[tool.other]\nsubjects = 1\n")
    (deep / "parity.toml").write_text("[subjects]\n")
    assert list(subjects_in(deep)) == ["outer"]
    (repository / "src" / "pyproject.toml").write_text(f"[tool.parity.subjects.inner]\n{LEAST}")
    assert list(subjects_in(deep)) == ["inner"]
    assert subject("inner", deep).root == repository / "src"
    assert list(subjects_in(repository)) == ["outer"]


def test_the_search_ends_at_the_root_of_the_checkout(repository: Path) -> None:
    declare(repository)
    worktree = repository / "src" / "deep"
    (worktree / ".git").write_text("gitdir: elsewhere\n")
    assert subjects_in(worktree) == {}
    assert list(subjects_in(worktree.parent)) == ["mine"]


def test_both_files_cannot_declare_subjects(repository: Path) -> None:
    mine = declare(repository)
    project = repository / "pyproject.toml"
    project.write_text("[tool.parity]\n")
    assert list(subjects_in(repository)) == ["mine"]
    project.write_text(f"[tool.parity.subjects.other]\n{LEAST}")
    assert (
        complaint(repository / "src") == f"{project} and {mine}: expected subjects in one of the two, got some in both"
    )


def test_an_unknown_subject_is_named_with_the_nearest(repository: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^unknown subject 'mine'; no pyproject.toml or parity.toml declares any in /"
    ):
        subject("mine", repository)
    declare(repository)
    with pytest.raises(UsageError, match=r"^unknown subject 'mime'; did you mean 'mine'\?$"):
        subject("mime", repository)
    with pytest.raises(UsageError, match=r"^unknown subject 'torch'; there are: mine$"):
        subject("torch", repository)


def without(key: str) -> str:
    return "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith(key))


WRONG: Mapping[str, tuple[str, str]] = {
    "an unknown key": (LEAST + "shape = []", ": unknown key 'shape'; did you mean 'shapes'?"),
    "an unknown key of the domain": (
        LEAST + "domain = { odd = true }",
        ".domain: unknown key 'odd'; there are: batch, even, modes, square",
    ),
    "a key that a terminal would obey": (
        LEAST + '"\\u001b[31m" = 1',
        ": unknown key '\\x1b[31m'; there are: accepts, bindings, domain, environment, framework, limit, mirror, "
        "package, path, python, shapes, stubs",
    ),
    "nothing": ("", ": expected to find the key 'framework', got an empty table"),
    "no framework": (without("framework"), ": expected to find the key 'framework', got only package, mirror"),
    "no package": (without("package"), ": expected to find the key 'package', got only framework, mirror"),
    "no way to bind": (without("mirror"), ": expected either 'mirror = true' or 'bindings', got neither"),
    "two ways to bind": (
        LEAST + 'bindings = "bindings.py"',
        ": expected either 'mirror = true' or 'bindings', got both",
    ),
    "a mirror that is none": (
        without("mirror") + "mirror = false",
        ".mirror: expected true, or no such key, got false",
    ),
    "another framework": (
        without("framework") + 'framework = "pytorch"',
        ".framework: expected 'torch', 'tensorflow', 'jax' or 'numpy', got 'pytorch'",
    ),
    "a list of frameworks": (
        without("framework") + 'framework = ["torch"]',
        """.framework: expected 'torch', 'tensorflow', 'jax' or 'numpy', got ["torch"]""",
    ),
    "a package by its path": (
        without("package") + 'package = "src/mine"',
        ".package: expected the name of a package, got 'src/mine'",
    ),
    "no bindings there": (
        without("mirror") + 'bindings = "binding.py"',
        ".bindings: expected a file of bindings, got 'binding.py', and ROOT/binding.py is not there",
    ),
    "a folder of bindings": (
        without("mirror") + 'bindings = "src"',
        ".bindings: expected a file of bindings, got 'src', and ROOT/src is none",
    ),
    "an interpreter by its name": (
        LEAST + 'python = "python3"',
        ".python: expected an interpreter that can be run, got 'python3', and ROOT/python3 is not there",
    ),
    "an interpreter that cannot be run": (
        LEAST + 'python = "bindings.py"',
        ".python: expected an interpreter that can be run, got 'bindings.py', and ROOT/bindings.py is none",
    ),
    "a path that is too long": (
        LEAST + f'python = "{"p" * 300}"',
        f".python: expected an interpreter that can be run, got '{'p' * 300}', and ROOT/{'p' * 300} "
        "cannot be reached: File name too long",
    ),
    "a folder of text": (LEAST + 'path = "src"', ".path: expected a list of one folder or more, got 'src'"),
    "no folder": (LEAST + "path = []", ".path: expected a list of one folder or more, got []"),
    "no folder there": (
        LEAST + 'path = ["src", "lib"]',
        ".path[1]: expected a folder, got 'lib', and ROOT/lib is not there",
    ),
    "a zero in a path": (LEAST + 'path = ["a\\u0000"]', ".path[0]: expected text, got 'a\\x00'"),
    "a domain in words": (LEAST + 'domain = "square"', ".domain: expected a table, got 'square'"),
    "a domain by number": (LEAST + "domain.even = 1", ".domain.even: expected true or false, got 1"),
    "modes that are true": (
        LEAST + "domain.modes = [1, true]",
        ".domain.modes[1]: expected a positive integer, got true",
    ),
    "one number of modes": (LEAST + "domain.modes = 1", ".domain.modes: expected a list of numbers of modes, got 1"),
    "no groups": (LEAST + "domain.batch = 0", ".domain.batch: expected a positive integer, got 0"),
    "one frame": (
        LEAST + "shapes = [16, 16]",
        ".shapes[0]: expected two positive integers, rows and columns, got 16",
    ),
    "a frame of one side": (
        LEAST + "shapes = [[16, 16], [16]]",
        ".shapes[1]: expected two positive integers, rows and columns, got [16]",
    ),
    "half a pixel": (
        LEAST + "shapes = [[16, 16.5]]",
        ".shapes[0]: expected two positive integers, rows and columns, got [16, 16.5]",
    ),
    "a frame in words": (
        LEAST + 'shapes = "16x16"',
        ".shapes: expected a list of frames, such as [[16, 16]], got '16x16'",
    ),
    "an oblong frame": (
        LEAST + "domain.square = true\nshapes = [[16, 16], [16, 32]]",
        ".shapes[1]: expected equal sides, as domain.square asks, got [16, 32]",
    ),
    "an odd frame": (
        LEAST + "domain.even = true\nshapes = [[17, 16]]",
        ".shapes[0]: expected even sides, as domain.even asks, got [17, 16]",
    ),
    "a stub by its path": (LEAST + 'stubs = ["ml-flow"]', ".stubs[0]: expected the name of a module, got 'ml-flow'"),
    "a number in the environment": (
        LEAST + "environment = { THREADS = 1 }",
        ".environment.THREADS: expected text, got 1",
    ),
    "no variable": (
        LEAST + 'environment = { "A=B" = "1" }',
        ".environment: expected names of environment variables, got 'A=B'",
    ),
    "an unknown state": (
        LEAST + 'accepts = ["dtype"]',
        ".accepts[0]: expected 'error state', 'folder', 'default dtype', 'grad mode', 'determinism' or 'threads', "
        "got 'dtype'",
    ),
    "no time": (LEAST + "limit = 0", ".limit: expected a positive number of seconds, got 0"),
    "a time without end": (LEAST + "limit = inf", ".limit: expected a positive number of seconds, got Infinity"),
    "a date": (LEAST + "limit = 2020-01-01", '.limit: expected a positive number of seconds, got "2020-01-01"'),
    "a long list": (
        LEAST + f"limit = {[1] * 99}",
        f".limit: expected a positive number of seconds, got {str([1] * 99)[:80]}…",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said_with_its_file_its_key_and_what_was_expected(repository: Path, wrong: str) -> None:
    body, said = WRONG[wrong]
    file = declare(repository, body)
    assert complaint(repository) == f"{file}: subjects.mine{said.replace('ROOT', str(repository))}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mine", "Mine: expected a name of a-z, 0-9, _ and -, got 'Mine'"),
        ('"a b"', "a b: expected a name of a-z, 0-9, _ and -, got 'a b'"),
        ("pair", "pair: expected another name than 'pair', which stands for two stacks"),
        ("oracle", "oracle: expected another name than 'oracle', which stands for what all stacks are held to"),
    ],
)
def test_some_names_cannot_be_had(repository: Path, name: str, said: str) -> None:
    file = declare(repository, name=name)
    assert complaint(repository) == f"{file}: subjects.{said}"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pyproject.toml", "tool = 1", "tool: expected a table, got 1"),
        ("pyproject.toml", "[tool]\nparity = 1", "tool.parity: expected a table, got 1"),
        ("pyproject.toml", "[tool.parity.subject.a]", "tool.parity: unknown key 'subject'; did you mean 'subjects'?"),
        ("pyproject.toml", "[tool.parity.subjects]\na = 1", "tool.parity.subjects.a: expected a table, got 1"),
        ("parity.toml", "subjects = ['torch']", 'subjects: expected a table, got ["torch"]'),
        ("parity.toml", "[tool.parity.subjects.a]", "unknown key 'tool'; there are: divergences, subjects"),
        (
            "parity.toml",
            "[subjects.a]\nb c",
            "expected TOML, got: Expected '=' after a key in a key/value pair (at line 2,",
        ),
        ("parity.toml", "[subjects.a]\nb = [", "expected TOML, got: Invalid value (at line 2, where it ends)"),
        ("parity.toml", "# Å\n\n# \udcff", "expected TOML in UTF-8, got another byte in line 3"),
        ("parity.toml", "a = " + "[" * 9999, "expected TOML, got: maximum recursion depth exceeded"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_named(repository: Path, name: str, content: str, said: str) -> None:
    file = repository / name
    file.write_bytes(content.encode(errors="surrogateescape"))
    assert complaint(repository).startswith(f"{file}: {said}")


def test_a_file_that_cannot_be_read_is_named(repository: Path) -> None:
    file = repository / "parity.toml"
    file.mkdir()
    assert complaint(repository) == f"{file}: expected a file that can be read, got: a folder"


def test_a_start_that_is_no_folder_is_named(repository: Path) -> None:
    file = declare(repository)
    assert complaint(file) == f"{file}: expected a folder, to find subjects in or above it, got none"


def test_the_interpreter_keeps_the_links_by_which_it_was_named(repository: Path) -> None:
    declare(repository, LEAST + 'python = "bin/python"')
    assert subject("mine", repository).python.readlink() == Path(sys.executable)
