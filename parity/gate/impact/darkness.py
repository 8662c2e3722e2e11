"""What nobody can follow by reading, by the contracts that it may matter to: to them, any change may matter."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from parity.contracts.reachability import IMPORT, Address, Dark, Graph, led_to

_EXPOSURES = "ptycho_exposures"

_READING = "dataloader"
"""The module whose contracts hold how data sets are read. The harness writes these data sets, and names them."""

_RUNNING = ("builtins", "code", "ctypes", "importlib", "marshal", "pickle", "pkgutil", "runpy", "subprocess", "sys")
_SURROUNDINGS = ("os.environ", "os.getenv", "os.getcwd")
"""What runs code, or depends on what is around the process: no way to read a file that one is given."""

_TOLD: Mapping[str, frozenset[str]] = {"ptycho_torch.dataloader": frozenset(["getattr(torch, precision)", "torch"])}
"""Constructs that look up what the harness names, by the module that has them."""

_ASKING: Mapping[str, frozenset[str]] = {"ptycho_torch.generators.fno": frozenset(["importlib.util.find_spec"])}
"""Constructs that ask whether a package of others is installed."""


@dataclass(frozen=True, slots=True)
class Darkness:
    """What is dark, by the contract whose functions lead to it; `anywhere` is what an import leads to."""

    by_contract: Mapping[str, Dark]
    anywhere: Dark | None = None


def darkness_of(graph: Graph, addresses: Mapping[Address, tuple[str, ...]], harness: str) -> Darkness:
    """What is dark of the contracts at these addresses; what the harness's own files do, nobody asks."""
    by_contract: dict[str, Dark] = {}
    anywhere = None
    for definition, dark in sorted(_dark(graph, harness), key=lambda found: (found[0], found[1].line)):
        is_told = _is_told(dark)
        for reached in led_to(definition, graph.callers, frozenset()):
            if is_told and reached.startswith(f"{_EXPOSURES}."):
                continue
            if reached.endswith(f".{IMPORT}"):
                anywhere = anywhere or dark
            for name in addresses.get(reached, ()):
                if not (is_told and name.startswith(f"{_READING}.")):
                    by_contract.setdefault(name, dark)
    return Darkness(by_contract, anywhere)


def _is_told(dark: Dark) -> bool:
    """Whether a construct is one of those by which data sets are read, where the harness says which."""
    if dark.module.startswith(f"{_EXPOSURES}."):
        first = dark.text.partition(".")[0]
        is_python = first in {*sys.stdlib_module_names, "numpy", "open", "vars"}.difference(_RUNNING)
        return is_python and not dark.text.startswith(_SURROUNDINGS)
    return dark.text in _TOLD.get(dark.module, ())


def _dark(graph: Graph, harness: str) -> Iterator[tuple[Address, Dark]]:
    """What is dark, by definition, and what of the harness a stack uses."""
    for definition, found in graph.dark.items():
        for dark in found:
            if not dark.module.startswith(f"{harness}.") and dark.text not in _ASKING.get(dark.module, ()):
                yield definition, dark
    for address, callers in graph.callers.items():
        if address.startswith(f"{harness}."):
            for caller in callers:
                if not caller.startswith(f"{harness}."):
                    yield caller, Dark(address, caller.rpartition(".")[0], 1)
