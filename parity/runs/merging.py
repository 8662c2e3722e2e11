"""The shards of a run, united and judged as one: the same measurements in the same order, so the same verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from parity.contracts.declared import REGISTRY
from parity.judging.run import ContractRun, NotChecked
from parity.judging.verdict import judge
from parity.runs.results import ResultsError, Stored
from parity.runs.scope import Asked, sources

PLATFORM = "platform"
"""The one thing in which the machines of shards may differ: the bounds hold on every one."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A whole run, made of its shards."""

    asked: Asked
    environment: Mapping[str, str]
    found: tuple[ContractRun | NotChecked, ...]


def merge(shards: Sequence[Stored]) -> Merged:
    """Unite the results of all shards of a run and judge them, contract by contract in the order of the plan.

    What a shard could not check is not checked in the whole. Raises ResultsError unless these are all the shards of one
    run, each once: of one plan, the same versions, and the sources that judge here.
    """
    if not shards:
        raise ResultsError("results: expected those of all shards of a run, got none")
    parts = [(stored, _asked(stored)) for stored in shards]
    _require_all_once(parts)
    for (one, asked), (other, also) in pairwise(parts):
        _require_alike(one, asked, other, also)
    whole = parts[0][1].whole
    if whole.sources != sources():
        raise _differ("sources", whole.sources[:12], f"in {shards[0].path}", sources()[:12], "here")
    platforms = "; ".join(dict.fromkeys(stored.environment.get(PLATFORM, "unknown") for stored in shards))
    return Merged(whole, {**shards[0].environment, PLATFORM: platforms}, tuple(_judged(whole, shards)))


def _judged(whole: Asked, shards: Sequence[Stored]) -> Iterator[ContractRun | NotChecked]:
    for contract, cases in whole.cases.items():
        lost = next((stored for stored in shards if contract in stored.not_checked), None)
        if lost is not None:
            yield NotChecked(contract, f"{lost.not_checked[contract]} (shard {lost.asked.shard})")
            continue
        at = {case: number for number, case in enumerate(cases)}
        found = [m for stored in shards for m in stored.measurements.get(contract, ())]
        measurements = tuple(sorted(found, key=lambda m: at[m.case]))
        seconds = sum(stored.seconds.get(contract, 0.0) for stored in shards)
        omissions = tuple(o for stored in shards for o in stored.omissions.get(contract, ()))
        verdict = judge(contract, measurements, REGISTRY[contract].quota)
        yield ContractRun(verdict, measurements, seconds, tuple(dict.fromkeys(omissions)))


def _asked(stored: Stored) -> Asked:
    if stored.asked.shard is None:
        raise ResultsError(f"{stored.path}: expected the results of a shard, got those of a whole run")
    return stored.asked


def _require_all_once(parts: Sequence[tuple[Stored, Asked]]) -> None:
    seen: dict[str, Stored] = {}
    for stored, asked in parts:
        first = seen.setdefault(str(asked.shard), stored)
        if first is not stored:
            raise ResultsError(f"shard {asked.shard}: expected once, got {first.path} and {stored.path}")
    ofs = {asked.shard.of: stored for stored, asked in parts if asked.shard}
    if len(ofs) > 1:
        (of, one), (other_of, other), *_ = ofs.items()
        raise _differ("number of shards", str(of), f"in {one.path}", str(other_of), f"in {other.path}")
    (of,) = ofs
    missing = [f"{number}/{of}" for number in range(1, of + 1) if f"{number}/{of}" not in seen]
    if missing:
        raise ResultsError(f"shards: expected all of 1/{of} to {of}/{of}, got none of {', '.join(missing)}")


def _require_alike(one: Stored, asked: Asked, other: Stored, also: Asked) -> None:
    """The data set may lie elsewhere on each machine; its digest may not differ."""
    compared: dict[str, tuple[object, object]] = {
        "sources": (asked.sources[:12], also.sources[:12]),
        "contracts": (", ".join(asked.cases), ", ".join(also.cases)),
        "examples": (_counted(asked), _counted(also)),
        "cases": (asked.cases, also.cases),
        "stacks": (", ".join(asked.stacks), ", ".join(also.stacks)),
        "precisions": (", ".join(asked.precisions), ", ".join(also.precisions)),
        "data": (asked.data[:12] or "none", also.data[:12] or "none"),
    }
    for name in dict.fromkeys([*one.environment, *other.environment]):
        if name != PLATFORM:
            compared[name] = (one.environment.get(name, "none"), other.environment.get(name, "none"))
    for name, (this, that) in compared.items():
        if this != that:
            raise _differ(name, str(this), f"in {one.path}", str(that), f"in {other.path}")


def _counted(asked: Asked) -> int:
    return sum(len(cases) for cases in asked.cases.values())


def _differ(name: str, one: str, there: str, other: str, here: str) -> ResultsError:
    return ResultsError(f"{name}: expected the same in all shards of a run, got {one} {there} and {other} {here}")
