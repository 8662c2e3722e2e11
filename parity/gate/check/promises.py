"""A program of its own, `python -I promises.py FOLDER`: prints what the harness in a folder promises, as JSON.

`parity.gate.check.declarations` runs it on the tree at hand and on that of the base, each in its own process: two
harnesses cannot be imported into one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def promises() -> dict[str, dict[str, Any]]:
    """By contract, what is declared of it: lists of names, and numbers. No framework is imported."""
    from parity.contracts.declared import REGISTRY
    from parity.faults import CATALOGUE, REWRITES

    return {
        name: {
            "strata": [stratum.name for stratum in contract.strata],
            "gradients": [argument.name for argument in contract.differentiable],
            "facts": [fact.statement for fact in contract.facts],
            "entries": [f"{entry.stack}: {entry.path}" for entry in contract.entries],
            "results": [f"{result.name}: {result.kind.name}" for result in contract.results],
            "defects": _aimed_at(name, CATALOGUE),
            "rewrites": _aimed_at(name, REWRITES),
            "undecided": contract.quota.undecided,
            "uninformative": contract.quota.uninformative,
            "any_precision": int(contract.quota.any_precision),
            "cost": contract.cost,
        }
        for name, contract in REGISTRY.items()
    }


def _aimed_at(contract: str, changes: Mapping[str, Any]) -> list[str]:
    return [name for name, change in changes.items() if change.target == contract]


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    sys.stdout.write(json.dumps(promises()))
