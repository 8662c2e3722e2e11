"""The mirror rule, read from the sources: one name and one signature in both stacks and the oracle.

A public function of a mirrored file without a contract is a fault, unless it is listed here as having no twin; so is
a contract whose function is missing or takes other arguments in any of the three. Nothing of the stacks is imported,
and where the harness is installed without them, the oracle alone is read.
Samplers, which are held as distributions, have no oracle: one name and one signature in the two stacks. Configurations
have the same fields and defaults in both.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from parity._ground.repository import ROOT, STACKS, holds_stacks
from parity.contracts.contract import Contract
from parity.contracts.declared.sampling import SAMPLERS

ORACLE = "parity.physics.oracle"
MIRRORS = {
    **{stack: ROOT / stack for stack in STACKS if holds_stacks(ROOT)},
    ORACLE: ROOT / "parity" / "physics" / "oracle",
}
"""The folders of the stacks that lie beside the harness, none where it is installed from a wheel, and of the oracle."""

KEYWORDS = "**"

SAMPLED: Mapping[str, Contract] = {contract.name: contract for contract in SAMPLERS}
"""What `parity.judging.samplers` holds."""

WITHOUT_TWIN: Mapping[str, str] = {
    "ptycho.training.make_optimizer": "is given no parameters, which a Keras optimizer learns of when it is built",
    "ptycho_torch.training.make_optimizer": "is given the parameters, which a torch optimizer is made over",
}
"""Public functions of mirrored files that have no contract, each with the reason, by `package.module.function`."""


def mirror_faults(contracts: Mapping[str, Contract]) -> list[str]:
    """Every breach of the mirror rule, a sentence each."""
    held = {**contracts, **SAMPLED}
    modules = sorted({contract.module for contract in held.values()})
    faults: list[str] = []
    unused = {name: why for name, why in WITHOUT_TWIN.items() if name.partition(".")[0] in MIRRORS}
    for package in MIRRORS:
        for module in modules:
            functions = _signatures(package, module)
            faults += _unregistered(package, module, functions, held, unused)
            faults += _departures(package, module, functions, contracts if package == ORACLE else held)
    faults += [fault for module in modules for fault in _other_configurations(module)]
    return faults + [f"{name}: listed as having no twin, but there is no such function" for name in unused]


def line_of(address: str) -> int:
    """The line where a mirrored file has a definition, by `package.module.name`; 1 if it has none."""
    package, module, name = address.rsplit(".", 2)
    defined = [node for node in _tree(package, module).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return next((node.lineno for node in defined if node.name == name), 1)


def _unregistered(
    package: str,
    module: str,
    functions: Mapping[str, list[str]],
    contracts: Mapping[str, Contract],
    unused: dict[str, str],
) -> list[str]:
    addresses = {contract.address for contract in contracts.values()}
    strangers = [
        name
        for name in functions
        if f"{module}.{name}" not in addresses and unused.pop(f"{package}.{module}.{name}", None) is None
    ]
    if package == ORACLE:
        strangers = [name for name in strangers if f"{module}.{name.removesuffix('_vjp')}" not in addresses]
    return [f"{package}.{module}.{name}: unregistered: a public function without a contract" for name in strangers]


def _departures(
    package: str, module: str, functions: Mapping[str, list[str]], contracts: Mapping[str, Contract]
) -> list[str]:
    faults = []
    for contract in contracts.values():
        if contract.module != module:
            continue
        wanted = [argument.name for argument in contract.arguments]
        found = functions.get(contract.function)
        if found is None:
            faults.append(f"{package}.{contract.address}: expected a function of this name, got none")
        elif not _accepts(found, wanted):
            faults.append(f"{package}.{contract.name}: expected arguments {wanted}, got {found}")
    return list(dict.fromkeys(faults))


def _accepts(found: list[str], wanted: list[str]) -> bool:
    """Whether a function takes the wanted arguments; `**parameters` stands for all that follow."""
    if found and found[-1].startswith(KEYWORDS):
        return found[:-1] == wanted[: len(found) - 1]
    return found == wanted


def _other_configurations(module: str) -> list[str]:
    """The configurations (public dataclasses) that one stack lacks, or has with other fields or defaults."""
    found = [(stack, _configurations(stack, module)) for stack in MIRRORS if stack != ORACLE]
    return [
        f"{other}.{module}.{name}: expected {ours.get(name, 'none')} as in {one}, got {theirs.get(name, 'none')}"
        for (one, ours), (other, theirs) in pairwise(found)
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    ]


def _configurations(package: str, module: str) -> Mapping[str, str]:
    """Public dataclasses of a file, with their fields and defaults as they are written."""
    return {
        node.name: f"({', '.join(ast.unparse(field) for field in node.body if isinstance(field, ast.AnnAssign))})"
        for node in _tree(package, module).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and _is_dataclass(node)
    }


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def _signatures(package: str, module: str) -> Mapping[str, list[str]]:
    """Public top-level functions of a file with the names of their arguments."""
    return {
        node.name: _arguments(node.args)
        for node in _tree(package, module).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


@cache
def _tree(package: str, module: str) -> ast.Module:
    path = MIRRORS[package] / f"{module}.py"
    return ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")


def _arguments(arguments: ast.arguments) -> list[str]:
    named = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [*named, f"{KEYWORDS}{arguments.kwarg.arg}"] if arguments.kwarg else named
