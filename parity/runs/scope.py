"""What a run was asked: everything in which two runs must be alike to be parts of one."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from parity._ground.repository import STACKS, prefer_own_stacks
from parity.judging.run import Plan
from parity.judging.shards import Shard
from parity.stacks import declaring

PACKAGES = ("parity", "ptycho_exposures", *STACKS)
"""Whose sources decide what a run finds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The cases of each contract in order, in all shards; in which precisions, on what data, of which sources.

    `data` and `sources` are SHA-256 digests, `data` empty without a data set. `shard` is the part that was run, None
    for all. `options` are those of `parity run`, as they are written in a line that repeats a case.
    """

    cases: Mapping[str, tuple[str, ...]]
    precisions: tuple[str, ...]
    data: str
    sources: str
    options: tuple[str, ...] = ()
    shard: Shard | None = None

    @classmethod
    def of(cls, plan: Plan, options: Sequence[str] = ()) -> Asked:
        """What a plan asks of the sources that are there now."""
        return cls(
            cases={c.name: tuple(case.name for case in plan.all_cases(c)) for c in plan.contracts},
            precisions=tuple(precision.name for precision in plan.precisions),
            data=hashlib.sha256(plan.dataset.path.read_bytes()).hexdigest() if plan.dataset else "",
            sources=sources(),
            options=tuple(options),
            shard=plan.shard,
        )

    @property
    def whole(self) -> Asked:
        """The same of all shards."""
        return replace(self, shard=None)

    def cases_of(self, contract: str) -> tuple[str, ...]:
        """Those of its cases that were run."""
        shard = self.shard
        return tuple(case for case in self.cases[contract] if not shard or shard.has(contract, case))


def sources() -> str:
    """The digest of the harness's and both stacks' sources, and of what the repository declares: stacks, divergences.

    Wherever they lie; uncommitted changes change it too.
    """
    prefer_own_stacks()
    digest = hashlib.sha256()
    for package in PACKAGES:
        found = importlib.util.find_spec(package)
        for folder in map(Path, (found and found.submodule_search_locations) or ()):
            for path in sorted(folder.rglob("[!.]*.py")):  # an editor's lock begins with a dot
                content = path.read_bytes()
                digest.update(f"{package}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    declaration = declaring(Path.cwd())
    if declaration:
        digest.update(json.dumps(declaration[1], sort_keys=True, default=str).encode())
    return digest.hexdigest()
