"""Shards: every case in one of them, the same one on every machine."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from parity._ground.errors import UsageError
from parity.contracts.declared import REGISTRY
from parity.judging.run import Plan
from parity.judging.shards import Shard

CONTRACTS = REGISTRY.select(("losses",))


def cases(shard: Shard | None = None) -> list[tuple[str, str]]:
    plan = Plan(CONTRACTS, examples=3, shard=shard)
    return [(contract.name, case.name) for contract in plan.tried for case in plan.cases(contract)]


@pytest.mark.parametrize("of", [1, 2, 7])
def test_every_case_is_in_one_shard(of):
    seen = Counter(case for number in range(1, of + 1) for case in cases(Shard(number, of)))
    assert seen == Counter(cases())


def test_shards_are_of_about_one_size():
    sizes = [len(cases(Shard(number, 4))) for number in range(1, 5)]
    assert max(sizes) < 2 * min(sizes)


def test_a_case_is_in_the_same_shard_everywhere():
    told = (
        "from parity.judging.shards import Shard; "
        "print([n for n in range(1, 9) if Shard(n, 8).has('losses.mae', 'odd/17')])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", told], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {b"[6]\n"}


def test_a_contract_without_a_case_in_a_shard_is_left_out():
    mae = REGISTRY["losses.mae"]
    tried = [Plan((mae,), examples=0, shard=Shard(number, 100)).tried for number in range(1, 101)]
    assert 0 < sum(map(bool, tried)) <= len(mae.strata)
    assert all(contracts in ((mae,), ()) for contracts in tried)


def test_one_case_is_not_shared_out():
    with pytest.raises(UsageError, match="expected no single case beside it, got case odd/1 and shard 1/2"):
        Plan(CONTRACTS, case="odd/1", shard=Shard(1, 2)).check()


@pytest.mark.parametrize("text", ["", "1", "/", "0/3", "4/3", "1/0", "-1/3", "1/3/3", "a/b", "1.0/2"])
def test_what_is_no_shard(text):
    with pytest.raises(ValueError, match=r"^shard: expected "):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read():
    assert str(Shard.parse("2/3")) == "2/3"
