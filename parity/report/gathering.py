"""Everything that a report says of a contract that was held, gathered where the frameworks are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parity.contracts.cases.case import coordinates_of, parse_case
from parity.contracts.cases.datasets import Dataset
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.faults.diagnosis import Diagnosis, diagnoses
from parity.judging.run import ContractRun
from parity.judging.stage_tree import Tree
from parity.judging.stages import trees_of
from parity.physics.precision import ALL_PRECISIONS
from parity.report.content import ContractReport, Picture
from parity.report.deviations import INHERITS
from parity.report.error_map import error_maps, picture
from parity.report.messages import describe
from parity.report.omissions import omitted_lines, terms_lines
from parity.report.pictures import can_draw
from parity.report.stages import explanation
from parity.report.terminal import counted, plain
from parity.stacks.base import Framework

MOST_PICTURES = 4
"""Error maps of one contract: of what is wrong in itself, then of the whole."""


def gather(
    run: ContractRun,
    contract: Contract,
    frameworks: Sequence[Framework],
    dataset: Dataset | None = None,
    options: Sequence[str] = (),
    in_depth: bool = True,
    case: str | None = None,
) -> ContractReport:
    """What a report holds of a contract; of one that does not agree, its message, with what would explain it, as well.

    The message is that of `case`, or of the worst. Nothing is explained of a stack that is not among `frameworks`.
    `in_depth` takes the worst case apart too: its stages, and error maps. `options` of `parity run` are part of the
    lines that repeat it. A verdict stands whatever becomes of its explanation: what that raises is said in its place.
    """
    held = held_contract(run, contract, dataset)
    verdict = run.verdict
    if verdict.agrees:
        return held
    found = diagnoses(contract, frameworks, verdict.sides, run.measurements, dataset)
    held = with_message(held, contract, options, found, case)
    if not in_depth or not verdict.failures:
        return held
    try:
        return _taken_apart(held, _trees(run, contract, frameworks, dataset))
    except Exception as error:
        return replace(held, not_shown=f"taking it apart raised {type(error).__name__}: {error}")


def held_contract(run: ContractRun, contract: Contract, dataset: Dataset | None = None) -> ContractReport:
    """What is known of a contract without asking a framework."""
    names = dict.fromkeys(measurement.case for measurement in run.measurements)
    coordinates = {name: coordinates_of(contract, name, dataset) for name in names}
    return ContractReport(
        run=run, equation=contract.equation, coordinates=coordinates, omitted=omitted_lines(run), terms=terms_lines(run)
    )


def with_message(
    held: ContractReport,
    contract: Contract,
    options: Sequence[str] = (),
    found: Sequence[Diagnosis] = (),
    case: str | None = None,
) -> ContractReport:
    """With the message of a failure, which `found` explains; as it is where it agrees."""
    verdict = held.run.verdict
    if verdict.agrees:
        return held
    causes = {one.stack: ": ".join(filter(None, (one.stage, one.cause))) for one in found if one.cause}
    return replace(held, message=describe(contract, verdict, options, case, found), causes=causes)


def _taken_apart(held: ContractReport, trees: Sequence[Tree]) -> ContractReport:
    """With the stages of the worst case, and error maps; what is off may be another entry, or a law, alone."""
    if all(tree.agrees for tree in trees):
        quantity = held.run.verdict.failures[0].quantity
        return replace(held, not_shown=f"the function itself agrees in this case; what is off is {quantity}")
    pictures, not_shown = _pictures(trees)
    stages = plain(explanation(trees)).rstrip()
    return replace(held, stages=stages, pictures=pictures, not_shown=not_shown)


def _trees(
    run: ContractRun, contract: Contract, frameworks: Sequence[Framework], dataset: Dataset | None
) -> tuple[Tree, ...]:
    """The trees of the case that the message is about, in the precisions that were run."""
    case = parse_case(contract, run.verdict.failures[0].case, dataset)
    precisions = tuple(precision for precision in ALL_PRECISIONS.values() if precision.name in run.verdict.precisions)
    return trees_of(case, frameworks, precisions, REGISTRY)


def _pictures(trees: Sequence[Tree]) -> tuple[tuple[Picture, ...], str]:
    """The most telling error maps, and a sentence on those that are missing; what inherits looks like its cause."""
    maps = sorted(error_maps(trees), key=lambda error_map: error_map.deviation.mark == INHERITS)
    if maps and not can_draw():
        return (), (
            f"{counted(len(maps), 'error map')} not drawn: matplotlib is not installed: "
            "pip install 'ptycho-parity[report]'"
        )
    left = len(maps) - MOST_PICTURES
    not_shown = f"{counted(left, 'error map')} more: parity explain --report DIR draws all" if left > 0 else ""
    return tuple(picture(error_map) for error_map in maps[:MOST_PICTURES]), not_shown
