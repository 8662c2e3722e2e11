"""What nobody can follow by reading, by the contracts that it may matter to: to them, any change may matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.contracts.reachability import IMPORT, Address, Dark, Graph, led_to

_READING = "dataloader"
"""The module whose contracts hold how data sets are read. The harness writes these data sets, and names them."""

_TOLD: Mapping[str, frozenset[str]] = {
    "ptycho_exposures.npz": frozenset(
        "pathlib.Path zipfile.ZipFile numpy.memmap numpy.lib.format.read_array numpy.lib.format.read_magic "
        "numpy.lib.format.read_array_header_1_0 numpy.lib.format.read_array_header_2_0 vars".split()
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
    for definition, found in sorted(graph.dark.items()):
        for dark in found:
            if dark.module.partition(".")[0] == harness or dark.text in _ASKING.get(dark.module, ()):
                continue
            is_told = dark.text in _TOLD.get(dark.module, ())
            for reached in led_to(definition, graph.callers, frozenset()):
                if is_told and reached.startswith(("ptycho_exposures.",)):
                    continue
                if reached.endswith(f".{IMPORT}"):
                    anywhere = anywhere or dark
                for name in addresses.get(reached, ()):
                    if not (is_told and name.startswith(f"{_READING}.")):
                        by_contract.setdefault(name, dark)
    return Darkness(by_contract, anywhere)
