"""What a run was asked: everything in which two runs must be alike to be parts of one."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from parity._ground.repository import STACKS, prefer_own_stacks
from parity.contracts.cases.datasets import Dataset, require_same
from parity.judging.run import Plan
from parity.judging.shards import Shard
from parity.stacks import asked_of, declaring
from ptycho_exposures.opening import open_regular
from ptycho_exposures.regions import Seen

PACKAGES = ("parity", "ptycho_exposures", *STACKS)
"""Whose sources decide what a run finds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The cases of each contract in order, in all shards; of which stacks, in which precisions, on what, by whom.

    `data` and `sources` are SHA-256 digests, `data` empty without a data set. `shard` is the part that was run, None
    for all. `options` are those of `parity run`, as they are written in a line that repeats a case.
    """

    cases: Mapping[str, tuple[str, ...]]
    stacks: tuple[str, ...]
    precisions: tuple[str, ...]
    data: str
    sources: str
    options: tuple[str, ...] = ()
    shard: Shard | None = None

    @classmethod
    def of(cls, plan: Plan, stacks: Sequence[str], options: Sequence[str] = ()) -> Asked:
        """What a plan asks of these stacks, all of them for none, and of the sources that are there now."""
        names, domain = asked_of(stacks)
        plan = replace(plan, contracts=tuple(domain.restricted(contract)[0] for contract in plan.contracts))
        return cls(
            stacks=names,
            cases={c.name: tuple(case.name for case in plan.all_cases(c)) for c in plan.contracts},
            precisions=tuple(precision.name for precision in plan.precisions),
            data=_digest(plan.dataset) if plan.dataset else "",
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


def _digest(dataset: Dataset) -> str:
    with os.fdopen(open_regular(dataset.path), "rb") as opened:
        require_same(dataset.path, dataset.seen, Seen.of(opened.fileno()))
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sources() -> str:
    """The digest of the harness's and both stacks' sources, and of what the repository declares: stacks, divergences.

    Wherever they lie; uncommitted changes change it too.
    """
    prefer_own_stacks()
    digest = hashlib.sha256()
    for package in PACKAGES:
        found = importlib.util.find_spec(package)
        for folder in map(Path, (found and found.submodule_search_locations) or ()):
            for path in sorted(filter(Path.is_file, folder.rglob("[!.]*.py"))):  # and no link that an editor leaves
                content = path.read_bytes()
                digest.update(f"{package}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    declaration = declaring(Path.cwd())
    if declaration:
        digest.update(json.dumps(declaration[1], sort_keys=True, default=str).encode())
    return digest.hexdigest()
