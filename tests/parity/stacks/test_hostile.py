"""Whatever a stack does to its process, it does to nothing else: to no other contract, no exit code, no machine.

Hostile stacks lie in repositories laid over the real one. `parity run` asks several of their functions at once, and
each has a test of its own. The processes of a run are known by a variable in their environment.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import parity
import ptycho
import ptycho_exposures
import ptycho_torch
from parity import cli
from tests.skips import PROCESS_TABLE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason=PROCESS_TABLE.reason)

HARNESS, EXPOSURES = (Path(package.__file__).parent for package in (parity, ptycho_exposures))
REAL = {package.__name__: Path(package.__file__).parent for package in (ptycho_torch, ptycho)}

MARK = "PARITY_TEST_HOSTILE"

LIMIT, FOREIGN_LIMIT = 10, 20

PLACES = ("losses.mae", "probe.disk", "scaling.count_photons", "optics.illuminate", "training.sgd_step")
"""The contracts whose functions are hostile. None of their modules imports another."""

INNOCENT = "patches.central_weight"

STRIKE = """
import atexit, ctypes, functools, os, signal, sys, threading, time
import numpy as np

class Own(BaseException):
    pass

@functools.cache
def strike():
    {strike}

if {when!r} == "import":
    strike()
"""

OWN = 'exec(compile(open({real!r}).read(), {real!r}, "exec"))\nright = {function}\n'
STRANGER = "from ptycho_torch.{module} import {function} as right\n"
"""Where the real function comes from: from the real module, of which this one is a copy, or from another package."""

FUNCTION = """
def {function}(*arguments, **named):
    if {when!r} == "call":
        strike()
    returned = right(*arguments, **named)
    if not {wrong}:
        return returned
    return tuple(2 * one for one in returned) if isinstance(returned, tuple) else 2 * returned
"""

HANG = "ctypes.PyDLL(None).pause()"
"""It keeps the lock of the interpreter, so that no other thread of the process can do anything."""


@dataclass(frozen=True)
class Hostile:
    """What a function does once in a process, and what is said of that; `wrong` doubles its results besides."""

    strike: str
    said: str
    wrong: bool = False

    def module(self, origin: str, package: str, contract: str, when: str) -> str:
        """A module with the contract's function, which is hostile."""
        name, function = contract.split(".")
        real = str(REAL[package] / f"{name}.py")
        return (STRIKE + origin + FUNCTION).format(
            strike=self.strike, real=real, module=name, function=function, when=when, wrong=self.wrong
        )


def lost(strike: str, ending: str) -> Hostile:
    return Hostile(strike, f": not checked: {ending}\n")


def blamed(strike: str, fault: str) -> Hostile:
    return Hostile(strike, f" in float64: {fault}\n")


def lingering(strike: str) -> Hostile:
    return Hostile(strike, " is 2 times what it should be\n", wrong=True)


DEADLY = {
    "exit": lost("os._exit(0)", "torch's process ended itself with exit code 0"),
    "segmentation fault": lost("ctypes.string_at(0)", "torch's process was ended by SIGSEGV"),
    "kill": lost("os.kill(os.getpid(), signal.SIGKILL)", "torch's process was killed (SIGKILL; out of memory?)"),
    "closed files": lost("os.closerange(0, 1024)", "torch's process closed its pipes"),
    "hang": lost(HANG, "torch took longer than the limit of {limit} s"),
}
RAISING = {
    "sys.exit": blamed("sys.exit(0)", "raised SystemExit: 0"),
    "own exception": blamed("raise Own('mine')", "raised Own: mine"),
    "interrupt": blamed("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
    "generator's exit": blamed("raise GeneratorExit", "raised GeneratorExit"),
}
CHANGING = {
    "default dtype": blamed(
        "import torch; torch.set_default_dtype(torch.float64)",
        "changed the default dtype of its process, from torch.float32 to torch.float64",
    ),
    "error state": blamed(
        "np.seterr(all='ignore')",
        "changed the error state of NumPy of its process, from divide=warn, over=warn, under=ignore, invalid=warn "
        "to divide=ignore, over=ignore, under=ignore, invalid=ignore",
    ),
    "folder": blamed("os.chdir('/')", "changed the working folder of its process, from {folder} to /"),
    "deleted folder": blamed(
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')",
        "changed the working folder of its process, from {folder} to one that has been deleted",
    ),
    "prints": lingering("print('x' * 10**7); os.write(1, b'y' * 10**7); os.write(2, b'z' * 10**7)"),
}
LINGERING = {
    "handler at exit": lingering("atexit.register(os._exit, 0)"),
    "thread": lingering("threading.Thread(target=time.sleep, args=(3600,)).start()"),
    "fork that returns": lingering("os.fork()"),
    "fork that sleeps": lingering("os.fork() or time.sleep(3600)"),
    "fork in a session of its own": lingering("os.fork() or (os.setsid(), time.sleep(3600))"),
}
GROUPS = {
    "deadly": (DEADLY, cli.NOT_CHECKED),
    "raising": (RAISING, cli.DISAGREE),
    "changing": (CHANGING, cli.DISAGREE),
    "lingering": (LINGERING, cli.DISAGREE),
}
"""Functions that do not disturb each other in one run, and its exit code."""

HOSTILE = {name: hostile for group, _ in GROUPS.values() for name, hostile in group.items()}

FOREIGN = (
    *(f"patches.{patches}" for patches in ("pad", "trim", "probe_weight", "uniform_weight", "relative_positions")),
    *(f"networks.{network}" for network in ("rectify", "max_pool", "upsample")),
    *(f"probe.{probe}" for probe in ("gaussian", "mask", "zone_plate")),
    *(f"scaling.{scaling}" for scaling in ("normalize_amplitude", "scale_nphotons", "remove_intensity_scale")),
    *(*PLACES[:-1], "scaling.apply_intensity_scale"),
)
"""The contracts whose bindings reach hostile functions, each in a module of its own."""

TENSORFLOW = {
    "losses.mae": lost("os._exit(0)", "tensorflow's process ended itself with exit code 0"),
    "probe.disk": lost("os.write(4, b'nonsense\\n')", "tensorflow's process sent something that is no answer"),
    "scaling.count_photons": blamed("sys.exit(0)", "raised SystemExit: 0"),
}
"""By contract; the process's pipe for answers has number 4."""


def lay(folder: Path, modules: Mapping[str, str]) -> Path:
    """A repository laid over the real one, with these files of stacks; the harness takes the stacks that it lies by."""
    for real in (*REAL.values(), HARNESS):
        (folder / real.name).mkdir()
        (folder / real.name / "__init__.py").write_text(f"__path__.append({str(real)!r})\n")
    shutil.copytree(HARNESS / "_ground", folder / "parity" / "_ground")
    shutil.copy(HARNESS.parent / "pyproject.toml", folder)
    shutil.copytree(EXPOSURES, folder / EXPOSURES.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in modules.items():
        (folder / name).write_text(text)
    return folder


def laid(folder: Path, package: str, hostile: Mapping[str, Hostile], when: str) -> Path:
    """A repository in which functions of one stack, by contract, are hostile when they are imported or called."""
    return lay(
        folder,
        {
            f"{package}/{contract.split('.')[0]}.py": one.module(OWN, package, contract, when)
            for contract, one in hostile.items()
        },
    )


@dataclass(frozen=True)
class Command:
    """`parity` at work in a repository, and whatever it has started."""

    folder: Path
    process: subprocess.Popen[str]
    mark: str

    def processes(self) -> list[int]:
        return [int(one.name) for one in Path("/proc").glob("[0-9]*") if self._is_marked(one)]

    def _is_marked(self, process: Path) -> bool:
        with suppress(OSError):
            return f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0")
        return False


@dataclass(frozen=True)
class Done:
    """What a command came to, and the processes that it left."""

    code: int
    output: str
    messages: str
    left: list[int]

    def said_of(self, contract: str) -> str:
        found = re.search(rf"^{re.escape(contract)}: .*\n(?:  .*\n)*", self.output, re.MULTILINE)
        assert found, self.output
        return found[0]

    def row_of(self, contract: str) -> str:
        found = re.search(rf"^{re.escape(contract)}  .*", self.output, re.MULTILINE)
        assert found, self.output
        return found[0].rstrip()


@contextmanager
def begun(folder: Path, *arguments: str, harness: Path | None = None, path: Path | None = None) -> Iterator[Command]:
    """`parity run`, of the repository or of another harness; whatever becomes of it, nothing survives the block."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "parity", "run", *arguments, "--precision", "f64", "--examples", "0"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, (path, harness or folder)))),
            "COLUMNS": "200",
            MARK: mark,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    command = Command(folder, process, mark)
    with process:
        try:
            yield command
        finally:
            for left in command.processes():
                os.kill(left, signal.SIGKILL)


def run(folder: Path, *arguments: str, harness: Path | None = None, path: Path | None = None) -> Done:
    """`parity run` to its end, which must be soon."""
    with begun(folder, *arguments, harness=harness, path=path) as command:
        output, messages = command.process.communicate(timeout=180)
        return Done(command.process.returncode, output, messages, command.processes())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Done, Path]]:
    """A group's run and its repository, with the functions hostile at import or in a call; one run for all tests."""

    @cache
    def made(group: str, when: str) -> tuple[Done, Path]:
        hostile = dict(zip(PLACES, GROUPS[group][0].values(), strict=False))
        folder = laid(tmp_path_factory.mktemp("hostile"), "ptycho_torch", hostile, when)
        return run(folder, *hostile, INNOCENT, "--stack", "torch", "--limit", str(LIMIT)), folder

    return made


@pytest.mark.parametrize(
    ("group", "name", "when"),
    [(group, name, when) for group in GROUPS for when in ("import", "call") for name in GROUPS[group][0]],
)
def test_a_hostile_function_spoils_its_own_contract_alone(
    done: Callable[[str, str], tuple[Done, Path]], group: str, name: str, when: str
) -> None:
    hostile, code = GROUPS[group]
    found, folder = done(group, when)
    assert found.code == code
    assert hostile[name].said.format(folder=folder, limit=LIMIT) in found.said_of(PLACES[list(hostile).index(name)])
    assert found.row_of(INNOCENT).endswith("agree")
    assert found.left == []
    assert found.messages == ""


@pytest.fixture(scope="module", params=["import", "call"])
def stranger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """A subject called torch, of which each contract but one reaches another hostile function."""
    folder = tmp_path_factory.mktemp("stranger")
    bindings = ["from parity_binding import binds"]
    (folder / "stranger").mkdir()
    (folder / "stranger" / "__init__.py").touch()
    for contract, one in (*zip(FOREIGN, HOSTILE.values(), strict=True), (INNOCENT, Hostile("pass", ""))):
        module, function = contract.replace(".", "_"), contract.split(".")[1]
        text = one.module(STRANGER, "ptycho_torch", contract, request.param)
        (folder / "stranger" / f"{module}.py").write_text(text)
        bindings += [
            f'@binds("{contract}")\ndef {module}(**given):',
            f"    from stranger import {module}\n    return {module}.{function}(**given)",
        ]
    (folder / "bindings.py").write_text("\n".join(bindings))
    (folder / "parity.toml").write_text(
        '[subjects.torch]\nframework = "torch"\npackage = "stranger"\nbindings = "bindings.py"\n'
        f'path = [".", "{HARNESS.parent}"]\n'
    )
    return run(folder, *FOREIGN, INNOCENT, "--limit", str(FOREIGN_LIMIT), harness=HARNESS.parent), folder


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_function_of_a_subject_spoils_its_own_contract_alone(stranger: tuple[Done, Path], name: str) -> None:
    found, folder = stranger
    assert found.code == cli.NOT_CHECKED
    assert HOSTILE[name].said.format(folder=folder, limit=FOREIGN_LIMIT) in found.said_of(
        FOREIGN[list(HOSTILE).index(name)]
    )
    assert found.row_of(INNOCENT).endswith("agree")
    assert found.left == []
    assert found.messages == ""


def test_nothing_is_left_of_a_run_in_several_processes(tmp_path: Path) -> None:
    strike = LINGERING["fork in a session of its own"].strike
    folder = laid(tmp_path, "ptycho_torch", {"losses.mae": lingering(strike)}, "call")
    found = run(folder, "losses.mae", INNOCENT, "--stack", "torch", "--jobs", "2")
    assert (found.code, found.left, found.messages) == (cli.DISAGREE, [], "")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Both stacks at once, TensorFlow's in graph mode, where a function is called while it is traced."""
    folder = laid(tmp_path_factory.mktemp("both"), "ptycho", TENSORFLOW, "call")
    return run(folder, *TENSORFLOW, INNOCENT)


@pytest.mark.parametrize("contract", TENSORFLOW)
def test_one_stack_is_lost_and_the_other_is_not(both: Done, contract: str) -> None:
    assert both.code == cli.NOT_CHECKED
    assert TENSORFLOW[contract].said in both.said_of(contract)
    assert re.search(r" 0\.00 +0\.00 .* agree$", both.row_of(INNOCENT))
    assert both.left == []


def test_the_stack_that_did_not_die_is_still_told_right_from_wrong(both: Done) -> None:
    assert both.said_of("scaling.count_photons").startswith(
        "scaling.count_photons: tensorflow disagrees with the oracle (torch agrees), case "
    )


@pytest.mark.parametrize(
    ("sent", "options", "code", "said"),
    [
        (signal.SIGINT, (), cli.NOT_CHECKED, "parity: interrupted; nothing was judged\n"),
        (signal.SIGTERM, (), -signal.SIGTERM, ""),
        (signal.SIGKILL, (), -signal.SIGKILL, ""),
        (signal.SIGKILL, ("--jobs", "2"), -signal.SIGKILL, ""),
    ],
)
def test_no_process_outlives_the_command(
    tmp_path: Path, sent: signal.Signals, options: tuple[str, ...], code: int, said: str
) -> None:
    strike = f"os.fork() or (os.setsid(), time.sleep(3600)); open('struck', 'w').close(); {HANG}"
    folder = laid(tmp_path, "ptycho_torch", {"losses.mae": Hostile(strike, "")}, "call")
    with begun(folder, "losses.mae", INNOCENT, "--stack", "torch", *options) as command:
        wait_for((folder / "struck").exists, 120)
        command.process.send_signal(sent)
        assert command.process.wait(20) == code
        wait_for(lambda: not command.processes(), 5)
        assert command.process.stderr
        assert said in command.process.stderr.read()


def wait_for(reached: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_stack_that_never_begins_is_asked_of_three_times(tmp_path: Path) -> None:
    broken, folder = tmp_path / "broken", tmp_path / "folder"
    broken.mkdir()
    folder.mkdir()
    (broken / "torch.py").write_text("import ctypes; ctypes.string_at(0)\n")
    contracts = ("losses.mae", "losses.absolute_error", "probe.disk", INNOCENT)
    lay(folder, {})
    found = run(folder, *contracts, "--stack", "torch", path=broken)
    why = "torch's process was ended by SIGSEGV before it was ready"
    assert found.code == cli.NOT_CHECKED
    assert all(found.said_of(contract).startswith(f"{contract}: not checked: {why}") for contract in contracts)
    assert found.left == []
