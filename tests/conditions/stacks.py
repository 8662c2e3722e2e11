"""Stacks that do something to whoever judges them."""

import shutil
import sys
from pathlib import Path

from parity._ground.repository import ROOT
from tests.conditions.condition import Done, Place, condition

LOSSES, SIMULATION = "ptycho_torch/losses.py", "ptycho_exposures/diffsim.py"

ASKED = ("run", "losses.mae", "--stack", "torch", "--examples", "0", "--precision", "f64")

WRONG = "\nright = mae\ndef mae(predicted, observed):\n    return right(predicted, observed) * 1.01\n"


def spoiled(place: Place, file: str, end: str) -> Path:
    """A checkout, a file of which ends so."""
    root = place.checkout().root
    with (root / file).open("a") as opened:
        opened.write(f"\n{end}\n")
    return root


def run(place: Place, end: str, *options: str, file: str = LOSSES) -> Done:
    root = spoiled(place, file, end)
    return place.parity(*ASKED, *options, root=root, cwd=root)


@condition("a stack that shares the process ends it", code=3, says="exit code 0 before there was a verdict")
def ends_shared_process(place: Place) -> Done:
    return run(place, "import os; os._exit(0)", "--in-process")


@condition("a stack that shares the process crashes", code=3, says="was ended by SIGSEGV before there was a verdict")
def crashes_shared_process(place: Place) -> Done:
    return run(place, "import ctypes; ctypes.string_at(0)", "--in-process")


@condition("a stack that shares the process exits", code=1, says="raised SystemExit: 0")
def exits_in_shared_process(place: Place) -> Done:
    return run(place, "import sys; sys.exit(0)", "--in-process")


@condition("a wrong stack ends the process as it exits, and leaves a thread and a process", code=1, says="losses.mae")
def lingers_in_shared_process(place: Place) -> Done:
    started = "import atexit, os, threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n"
    forked = "if os.fork() == 0:\n    os.setsid()\n    time.sleep(3600)\natexit.register(os._exit, 0)"
    return run(place, WRONG + started + forked, "--in-process")


@condition("a stack that shares the process prints: lines of it in the output", code=0, says="0")
def prints_in_shared_process(place: Place) -> Done:
    root = spoiled(place, LOSSES, "import os\nprint('SPOILED')\nos.write(1, b'SPOILED\\n')")
    return place.shell(f"cd {root}; parity {' '.join(ASKED)} --in-process 2>/dev/null | grep -c SPOILED; exit 0", root)


@condition("the simulation exits as it is imported", code=3, says="SystemExit: 0; nothing was judged")
def exiting_simulation(place: Place) -> Done:
    return run(place, "import sys; sys.exit(0)", file=SIMULATION)


@condition("the simulation ends the process as it is imported", code=3, says="before there was a verdict")
def ending_simulation(place: Place) -> Done:
    return run(place, "import os; os._exit(0)", file=SIMULATION)


@condition("the simulation is no Python", code=3, says="ptycho_exposures/diffsim.py, line")
def unreadable_simulation(place: Place) -> Done:
    return run(place, "def f(:", file=SIMULATION)


@condition("a file of a stack is no Python", code=3, says="ptycho_torch/losses.py, line")
def unreadable_stack(place: Place) -> Done:
    return run(place, "def f(:")


@condition("a file of a stack holds null bytes", code=3, says="losses.py: source code string cannot contain null bytes")
def null_bytes(place: Place) -> Done:
    return run(place, "\0")


@condition("a file of a stack is not UTF-8", code=3, says="codec can't decode byte 0xff")
def foreign_encoding(place: Place) -> Done:
    root = spoiled(place, LOSSES, "")
    (root / LOSSES).write_bytes(b"bytes = '\xff'\n" + (root / LOSSES).read_bytes())
    return place.parity(*ASKED, root=root, cwd=root)


@condition("editors have left files beside those of the stacks", code=0, says="1 contract agrees")
def litter(place: Place) -> Done:
    root = spoiled(place, LOSSES, "")
    for folder in ("ptycho_torch", "ptycho", "parity/cli", "fixtures"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / ".#losses.py").symlink_to("somebody@somewhere.1234:56")
        for name in ("losses.py~", ".losses.py.swp", "#losses.py#", "4913", ".DS_Store"):
            (root / folder / name).write_bytes(b"\0\xff(")
    return place.parity(*ASKED, root=root, cwd=root)


@condition("editors have left files among the goldens", code=0, says="whole")
def litter_among_goldens(place: Place) -> Done:
    golden = place.folder / "golden"
    shutil.copytree(ROOT / "fixtures" / "golden", golden)
    for folder in (golden, golden / "losses.mae"):
        (folder / ".#even-0.npz").symlink_to("somebody@somewhere.1234:56")
        for name in ("even-0.npz~", ".even-0.npz.swp", "#even-0.npz#", "4913", ".DS_Store"):
            (folder / name).write_bytes(b"\0\xff")
    return place.parity("golden", "verify", "--fixtures", str(golden))


@condition("a stack ends its process while both are trained", code=3, says="process ended itself with exit code 0")
def ends_trajectory(place: Place) -> Done:
    root = spoiled(place, LOSSES, "import os; os._exit(0)")
    return place.parity("trajectory", "--steps", "1", "--optimizer", "sgd", "--precision", "f64", root=root, cwd=root)


@condition("a stack ends the process in which it is timed", code=3, says="before there was a verdict")
def ends_bench(place: Place) -> Done:
    root = spoiled(place, LOSSES, "import os; os._exit(0)")
    return place.parity("bench", "losses.mae", "--examples", "0", root=root, cwd=root)


@condition("a stack ends its process while `pytest -m parity` holds it", code=1, says="ended itself with exit code 0")
def ends_pytest(place: Place) -> Done:
    root = spoiled(place, LOSSES, "import os; os._exit(0)")
    test = place.folder / "test_held.py"
    test.write_text(
        "import pytest\nfrom parity.contracts.declared import REGISTRY\n\n"
        "@pytest.mark.parity\ndef test_mae(parity):\n    parity.hold(REGISTRY['losses.mae'])\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--parity-examples", "0", str(test)]
    return place.process(command, root=root)
