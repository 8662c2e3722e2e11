"""Where Python looks for modules: what lies beside whoever calls, or beside the harness, stands in for no library.

`python -m parity` puts the working folder first, and a checkout on PYTHONPATH comes before every library, so that a
`torch.py` or a `random.py` there would be taken for the real one. Nothing is imported here that could be one of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

OWN = ("parity", "ptycho_exposures")
"""The packages of the harness, which lie together."""

UNTOLD = ("PYTHONINSPECT", "PYTHONOPTIMIZE", "PYTHONSTARTUP", "PYTHONWARNINGS")
"""Variables that would have a stack's code do something else than it says, such as to leave out what it asserts."""


class _NotBeside:
    """Finds the harness's own packages where this one lies, and a module of Python itself in Python alone."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None:
            return None
        if name in OWN:
            return PathFinder.find_spec(name, [ROOT])
        if name not in sys.stdlib_module_names:
            return None
        found = PathFinder.find_spec(name, [folder for folder in sys.path if not _is_beside(folder)])
        if found is None:  # such as msvcrt, which Windows alone has
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return found


def libraries_first() -> None:
    """Have every later import find libraries first, and import anew what was found beside whoever calls until now.

    A process that is spawned looks in the same order.
    """
    if any(isinstance(finder, _NotBeside) for finder in sys.meta_path):
        return
    beside = [folder for folder in sys.path if _is_beside(folder)]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file and name in sys.stdlib_module_names and os.path.dirname(file) in beside:
            del sys.modules[name]
    elsewhere = [folder for folder in sys.path if folder not in beside]
    if PathFinder.find_spec(OWN[0], elsewhere) is None:  # else a process that is spawned would find another harness
        sys.path[:] = [*elsewhere, *beside]
    place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(place, _NotBeside())


def forget_working_folder() -> None:
    """Look for nothing in the working folder, here and in a process that is spawned, unless it is the checkout."""
    sys.path[:] = [folder for folder in sys.path if not _is_beside(folder) or _place(folder) == ROOT]


def environment_of_stacks() -> dict[str, str]:
    """The environment for a process of a stack of this repository: how it looks for modules is told to it apart."""
    environment = {name: value for name, value in os.environ.items() if name not in UNTOLD}
    path = [folder for folder in environment.pop("PYTHONPATH", "").split(os.pathsep) if folder]
    kept = [folder for folder in path if not _is_beside(folder)]
    return {**environment, "PYTHONPATH": os.pathsep.join(kept)} if kept else environment


def _is_beside(folder: str) -> bool:
    """Whether a folder is the working folder or the checkout; not where libraries are installed, whoever is there."""
    place = _place(folder)
    installed = {"site-packages", "dist-packages"} & set(place.split(os.sep))
    if installed or place == os.path.dirname(os.path.realpath(os.__file__)):
        return False
    return place in ("", _place(""), ROOT)


def _place(folder: str) -> str:
    """Where a folder of the path lies, "" being the working folder; "" where that is gone."""
    try:
        return os.path.realpath(folder)
    except OSError:
        return ""
