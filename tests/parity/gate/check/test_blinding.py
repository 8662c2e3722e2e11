"""What a check says of changes that make the harness see less, and of some that do not.

Each is an edit in a clone, as a person would write it. The figures of a tree are computed without a framework, and a
few of these edits are tried in every run; those that only a run of all contracts shows are tried by `make commits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from parity.gate.check.loosening import being_compared


@dataclass(frozen=True)
class Edit:
    """A change of one file of the harness; `said` is a part of what is said of it, "" where nothing is."""

    name: str
    file: str
    old: str
    new: str
    said: str = ""


DECLARED, ORACLE, JUDGING = "parity/contracts/declared/losses.py", "parity/physics/oracle/", "parity/judging/"

SHOWN_BY_FIGURES = (
    Edit(
        "a rule of the bound that is 10¹⁵ times too much",
        f"{ORACLE}bounded.py",
        "(COMPLEX_PRODUCT if both_complex else 1.0)",
        "1e15",
        "times since",
    ),
    Edit(
        "a rule of the bound that knows nothing",
        f"{ORACLE}operations/elementwise.py",
        "    return z.error + (2 * value if np.iscomplexobj(z.value) else 0.0)",
        "    return z.error + np.inf",
        "has no bound any more",
    ),
    Edit("what is allowed", f"{ORACLE}bounded.py", "return 2 * self", "return 2e6 * self", "grew by up to 1e+06 times"),
    Edit(
        "what a precision rounds by",
        "parity/physics/precision.py",
        '"f64", "float64", "complex128", unit_roundoff=2.0**-53',
        '"f64", "float64", "complex128", unit_roundoff=2.0**-24',
        "times since",
    ),
    Edit(
        "a formula of the oracle",
        f"{ORACLE}losses.py",
        "return mean(absolute_error(predicted, observed))",
        "return mean(absolute_error(predicted, observed)) * 2.0",
        "times what rounding can do since",
    ),
    Edit(
        "a stratum that draws what another does",
        "parity/contracts/cases/families/exposures.py",
        'floor for ceiling", ODD)',
        'floor for ceiling", EVEN)',
        "the case odd/0 is another than at",
    ),
    Edit(
        "cotangents that ask for nothing",
        "parity/contracts/cases/case.py",
        "    weight = random.standard_normal(value.shape)\n",
        "    weight = 0 * random.standard_normal(value.shape)\n",
        "∂/∂",
    ),
    Edit(
        "the layout of a kind that simulation uses",
        "parity/physics/kinds.py",
        '_PATCHES = MappingProxyType({"tensorflow": "BHWC"})',
        '_PATCHES = MappingProxyType({"tensorflow": "BWHC"})',
        "it cannot compute the cases of its contracts any more: ",
    ),
    Edit(
        "the layout of a kind",
        "parity/physics/kinds.py",
        '"B1DC"',
        '"B1CD"',
        "the layout of positions in tensorflow is another",
    ),
    Edit(
        "a law that always passes",
        DECLARED,
        "    return Law(trial.value(**doubled), 2 * trial.value())",
        "    return Law(trial.value(**doubled), trial.value(**doubled))",
        "the right side of 'mae(2",
    ),
    Edit(
        "a law that applies nowhere",
        "parity/contracts/contract.py",
        "    law: Callable[[Trial], Law]\n    applies: Callable[[Inputs], bool] = lambda inputs: True",
        "    law: Callable[[Trial], Law]\n    applies: Callable[[Inputs], bool] = lambda inputs: False",
        "side of '",
    ),
    Edit(
        "a domain that has nothing",
        "parity/contracts/cases/domain.py",
        '        if self == Domain():\n            return ""',
        '        if self == Domain():\n            return "not claimed"',
        "what lies outside a domain",
    ),
    Edit(
        "edges that touch everything",
        "parity/contracts/conventions/conventions.py",
        "touched(contract, inputs)} if self.edge",
        "touched(contract, inputs) | True} if self.edge",
        "what is not judged of translated",
    ),
    Edit(
        "a comparison in the judge",
        f"{JUDGING}measurement.py",
        "self.fault is None and self.ratio <= 1",
        "self.fault is None and self.ratio <= 1e30",
        "it no longer notices: 1000 bounds off",
    ),
    Edit(
        "NaN that is nobody's fault",
        f"{JUDGING}measurement.py",
        "    if alien.any():",
        "    if False:",
        "it no longer notices: nan at",
    ),
    Edit(
        "stacks that may be apart",
        f"{JUDGING}verdict.py",
        "    apart = [m for m in measurements if m.is_of_pair and not m.agrees]",
        "    apart: list[Measurement] = []",
        "it no longer notices: two stacks apart",
    ),
    Edit(
        "elements without a bound that nobody counts",
        f"{JUDGING}verdict.py",
        "        if share > quota.undecided:",
        "        if share > 1:",
        "it no longer notices: no bound in f",
    ),
    Edit(
        "a gain that all examples have in common",
        f"{JUDGING}verdict.py",
        "    off = tuple(g for g in gains if not g.agrees)",
        "    off: tuple[PooledGain, ...] = ()",
        "it no longer notices: a common gain",
    ),
    Edit(
        "a witness that is worse than float32",
        f"{JUDGING}expectation.py",
        "return {quantity: np.asarray(array) for",
        "return {quantity: np.asarray(array) * 1.01 for",
        "the witness of",
    ),
    Edit("a bound that is tighter", f"{ORACLE}bounded.py", "COMPLEX_PRODUCT = np.sqrt(5.0)", "COMPLEX_PRODUCT = 1.0"),
    Edit(
        "the same under another name",
        f"{JUDGING}measurement.py",
        "_smallest_visible",
        "_least_visible",
    ),
    Edit(
        "operands in another order",
        f"{ORACLE}bounded.py",
        "self.error + other.error + np.abs(value)",
        "other.error + self.error + np.abs(value)",
    ),
)

SHOWN_BY_A_RUN = (
    Edit(
        "gradients that nobody compares",
        f"{JUDGING}truth.py",
        "            label = self._label(quantity, entry)\n            if quantity in found.remainders:",
        "            if quantity.is_gradient:\n                continue\n"
        "            label = self._label(quantity, entry)\n            if quantity in found.remainders:",
        "nothing at all is noticed of gradients",
    ),
    Edit(
        "one precision that nobody judges",
        f"{JUDGING}examine.py",
        "    tried = precisions_of(inputs, precisions)",
        "    tried = precisions_of(inputs, precisions)[-1:]",
        "nothing at all is noticed in f",
    ),
    Edit(
        "one stack that nobody asks",
        f"{JUDGING}examine.py",
        "self.truth.begin(framework) for framework in frameworks}",
        "self.truth.begin(framework) for framework in frameworks[:1]}",
        "of tensorflow",
    ),
    Edit(
        "defects that are not made",
        "parity/faults/injection.py",
        "            setattr(owner, attribute, wrong)\n        yield",
        "            setattr(owner, attribute, right)\n        yield",
        "what is wrong is no longer noticed",
    ),
    Edit(
        "laws that nobody tries",
        f"{JUDGING}examine.py",
        "        if not self.with_facts:\n            return [], []",
        "        if self.with_facts:\n            return [], []",
        "nothing at all is noticed of laws",
    ),
    Edit(
        "what returns is what the oracle says",
        f"{JUDGING}laws.py",
        "    return oracle.derive(got.astype(oracle.value.dtype), oracle.error)",
        "    return oracle",
        "what is wrong is no longer noticed",
    ),
    Edit(
        "strata of which the first alone is tried",
        f"{JUDGING}run.py",
        "        for case in plan.cases(contract):",
        "        for case in plan.cases(contract)[:1]:",
        "not every stratum is tried any more",
    ),
)

IN_EVERY_RUN = ("a rule of the bound that is 10¹⁵ times too much",)


def tried(edits):
    return [
        pytest.param(edit, id=edit.name, marks=() if edit.name in IN_EVERY_RUN else pytest.mark.commits)
        for edit in edits
    ]


@pytest.mark.parametrize("edit", tried(SHOWN_BY_FIGURES))
def test_the_figures_show_what_is_held_less_tightly(clone, edit):
    clone.edit(edit.file, edit.old, edit.new)
    with being_compared(clone.root, "main") as compared:
        found = list(compared())
    assert bool(found) == bool(edit.said), found
    assert any(edit.said in said for _, said in found) or not edit.said, found


@pytest.mark.commits
@pytest.mark.parametrize("edit", [pytest.param(edit, id=edit.name) for edit in SHOWN_BY_A_RUN])
def test_a_run_of_all_contracts_shows_what_is_no_longer_compared(clone, edit):
    clone.edit(edit.file, edit.old, edit.new)
    code, said = clone.verdict()
    blind = [remark["text"] for remark in said["remarks"] if remark["title"].endswith("has gone blind")]
    assert code == 1
    assert any(edit.said in text for text in blind), said["remarks"]
