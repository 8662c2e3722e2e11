"""What nobody can follow by reading, by the contracts that it may matter to: to them, any change may matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from parity.contracts.reachability import IMPORT, Address, Dark, Graph, led_to

_EXPOSURES = "ptycho_exposures"

_READING = "dataloader"
"""The module whose contracts hold how data sets are read. The harness writes these data sets, and names them."""

_TOLD: Mapping[str, frozenset[str]] = {
    "ptycho_exposures.npz": frozenset(
        [
            *("pathlib.Path", "zipfile.ZipFile", "vars", "numpy.memmap"),
            *("numpy.lib.format.read_array", "numpy.lib.format.read_magic"),
            *("numpy.lib.format.read_array_header_1_0", "numpy.lib.format.read_array_header_2_0"),
        ]
    ),
    "ptycho_exposures.scanfile": frozenset(["pathlib.Path", "json.loads"]),
    "ptycho_torch.dataloader": frozenset(["getattr(torch, precision)", "torch"]),
}
"""Constructs that open the file that they are given, and look up a precision, by the module that has them."""

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
        is_told = dark.text in _TOLD.get(dark.module, ())
        for reached in led_to(definition, graph.callers, frozenset()):
            if is_told and reached.startswith(f"{_EXPOSURES}."):
                continue
            if reached.endswith(f".{IMPORT}"):
                anywhere = anywhere or dark
            for name in addresses.get(reached, ()):
                if not (is_told and name.startswith(f"{_READING}.")):
                    by_contract.setdefault(name, dark)
    return Darkness(by_contract, anywhere)


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
