"""What is proposed for a defect that plays a divergence is that divergence, and nothing for what no kind explains."""

import tomllib
from dataclasses import replace

import pytest

from parity.contracts.cases.case import forced
from parity.contracts.declared import REGISTRY
from parity.judging.divergences import Divergence, InexactArgument, PositiveFactor, Reduction
from parity.judging.divergences.declared import read_divergences, written
from parity.judging.divergences.factors import To
from parity.judging.proposals import Proposal, candidates, propose
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.base import Framework
from parity.stacks.declaration import Key
from tests.parity.judging.divergences.test_differences import LATER, PLAYED, made


def proposed(stacks: tuple[Framework, ...], name: str, strata: tuple[str, ...] = ()) -> Proposal | None:
    contract = REGISTRY[name]
    cases = [case for case in forced(contract) if not strata or case.stratum.name in strata]
    return propose(contract, stacks[0], cases, (FLOAT32, FLOAT64))


@pytest.mark.parametrize("kind", ["constant", "factor", "reduction", "gauge", "inexact"])
def test_what_plays_a_divergence_is_proposed_as_it(stacks, kind):
    played = PLAYED[kind]
    with made("torch", played.defect):
        proposal = proposed(stacks, played.target)
    assert proposal
    assert proposal.entry
    entry = proposal.entry
    assert (entry.contract, entry.stack, entry.reason) == (played.target, "torch", "")
    assert entry.breaks == played.breaks
    assert not entry.low <= entry.kind.neutral <= entry.high
    if isinstance(played.kind, InexactArgument):
        assert isinstance(entry.kind, InexactArgument)
        assert entry.kind.argument == "positions"
    else:
        assert entry.kind == played.kind
        assert entry.low <= played.high
        assert entry.high >= played.low


def test_nothing_is_proposed_where_all_agrees_or_no_kind_explains(stacks):
    name = PLAYED["term"].target
    assert proposed(stacks, name, ("even", "many")) is None
    with made("torch", PLAYED["term"].defect):
        assert proposed(stacks, name, ("even", "many")) == Proposal(name, "torch", None)


def test_every_reduction_that_a_contract_can_show_is_tried_once():
    kinds = list(candidates(REGISTRY["losses.mae"]))
    assert len(set(kinds)) == len(kinds)
    assert {Reduction("predicted", "CHW", To.SUM), Reduction("predicted", "BCHW", To.MEAN), PositiveFactor()} < set(
        kinds
    )


@pytest.mark.parametrize("kind", ["constant", "factor", "reduction", "gauge", "inexact"])
def test_what_is_written_is_read_again_once_it_has_a_reason(tmp_path, kind):
    entry = replace(PLAYED[kind].entry(), strata=("even", "dark"), reason='"why" é', expires=LATER)
    document = tomllib.loads(written(entry, "tool.parity.divergences"))
    place = Key(tmp_path / "pyproject.toml")
    (read,) = read_divergences(place, document["tool"]["parity"])
    assert isinstance(read, Divergence)
    assert replace(read, low=entry.low, high=entry.high) == entry
    assert (read.low, read.high) == pytest.approx((entry.low, entry.high), rel=1e-3)
