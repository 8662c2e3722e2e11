"""The environment, the working folder, and what is installed."""

from parity._ground.repository import ROOT
from tests.conditions.condition import Done, Place, condition

ASKED = ("run", "losses.mae", "--stack", "torch", "--examples", "0", "--precision", "f64")

HARMLESS = ("click", "json", "numpy", "random", "rich", "tensorflow", "torch", "typing")


def broken(place: Place, raised: str) -> Done:
    """A run where torch is installed and cannot be imported."""
    package = place.folder / "installed" / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"{raised}\n")
    variables = {"PYTHONPATH": f"{ROOT}:{package.parent}"}
    return place.parity(*ASKED, environment=variables)


@condition("a framework lacks a library", code=3, says="is installed but cannot be imported: OSError: libcuda.so.1")
def broken_library(place: Place) -> Done:
    return broken(place, "raise OSError('libcuda.so.1: cannot open shared object file')")


@condition("a framework exits when it is imported", code=3, says="is installed but cannot be imported: SystemExit: 0")
def exiting_framework(place: Place) -> Done:
    return broken(place, "raise SystemExit(0)")


@condition("a framework ends its process when it is imported", code=3, says="exit code 0 before it was ready")
def ending_framework(place: Place) -> Done:
    return broken(place, "import os; os._exit(0)")


@condition("a framework crashes when it is imported", code=3, says="ended by SIGSEGV before it was ready")
def crashing_framework(place: Place) -> Done:
    return broken(place, "import ctypes; ctypes.string_at(0)")


@condition("a framework of another version lacks something", code=3, says="cannot be imported: AttributeError")
def other_framework(place: Place) -> Done:
    return broken(place, "__version__ = '0.1'")


@condition("the folder holds files named as libraries are", code=0, says="1 contract agrees")
def files_of_libraries(place: Place) -> Done:
    for name in HARMLESS:
        (place.folder / f"{name}.py").write_text("import os; os._exit(0)\n")
    return place.parity(*ASKED)


@condition("files named as libraries lie beside the stacks", code=0, says="1 contract agrees")
def files_beside_stacks(place: Place) -> Done:
    root = place.checkout().root
    for name in ("json", "numpy", "random", "torch"):
        (root / f"{name}.py").write_text("import os; os._exit(0)\n")
    return place.parity(*ASKED, root=root, cwd=root)


@condition("more threads are asked for than any machine has", code=2, says="OMP_NUM_THREADS: expected a number of")
def countless_threads(place: Place) -> Done:
    return place.parity(*ASKED, environment={"OMP_NUM_THREADS": "99999999999"})


@condition("Python is told to leave out assertions and docstrings", code=0, says="examples, in each precision")
def optimised(place: Place) -> Done:
    return place.parity("contracts", "show", "losses.mae", environment={"PYTHONOPTIMIZE": "2"})


@condition("Python is told that warnings are errors", code=0, says="losses.mae")
def warnings_as_errors(place: Place) -> Done:
    return place.parity("contracts", "list", environment={"PYTHONWARNINGS": "error"})


@condition("the working folder has been deleted", code=3, says="the working folder: expected one that can be read")
def deleted_folder(place: Place) -> Done:
    return place.shell("mkdir gone; cd gone; rmdir ../gone; parity contracts list")


@condition("few files may be open", code=3, says="parity: Too many open files")
def few_files(place: Place) -> Done:
    return place.shell(f"ulimit -n 12; parity {' '.join(ASKED)}")


@condition("too little memory for a library", code=3, says="failed to map segment from shared object")
def little_memory(place: Place) -> Done:
    return place.shell(f"ulimit -v 400000; parity {' '.join(ASKED)}")


@condition("a variable that is a flag says neither yes nor no", code=2, says="'maybe' is not a valid boolean")
def unclear_flag(place: Place) -> Done:
    return place.parity(*ASKED, environment={"PARITY_IN_PROCESS": "maybe"})
