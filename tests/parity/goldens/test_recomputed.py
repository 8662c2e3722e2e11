"""What nobody has written: the oracle computes values and bounds of goldens again, and takes no hash for a proof."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity import cli
from parity._ground.repository import ROOT
from parity.cli.golden.options import FIXTURES
from parity.contracts.declared import REGISTRY
from parity.goldens.folder import GoldenSet
from parity.goldens.manifest import MANIFEST, manifest_of
from parity.goldens.recomputed import unlike_the_oracle
from parity.goldens.record import Golden, encode
from parity.judging.quantity import result_of

MAE = "losses.mae/even-0"


@pytest.fixture(scope="module")
def golden() -> Golden:
    return GoldenSet.read(ROOT / FIXTURES).golden(MAE)


def wider(golden: Golden) -> Golden:
    return replace(golden, bounds={quantity: bound * 1e6 for quantity, bound in golden.bounds.items()})


def one_wider(golden: Golden) -> Golden:
    return replace(golden, bounds={**golden.bounds, result_of("mae"): golden.bounds[result_of("mae")] * 2})


def unlimited(golden: Golden) -> Golden:
    return replace(golden, bounds={quantity: np.full_like(bound, np.inf) for quantity, bound in golden.bounds.items()})


def moved(golden: Golden) -> Golden:
    return replace(
        golden, oracle={**golden.oracle, result_of("mae"): golden.oracle[result_of("mae")] * 1.01}, outputs={}
    )


SAID = "expected the {} that the oracle computes of the stored inputs, got"


@pytest.mark.parametrize(
    ("forge", "sentence"),
    [
        (wider, f"{MAE}: ∂/∂observed: {SAID.format('bounds')} wider by ×1e+06"),
        (wider, f"{MAE}: mae: {SAID.format('bounds')} wider by ×1e+06"),
        (one_wider, f"{MAE}: mae: {SAID.format('bounds')} wider by ×2"),
        (unlimited, f"{MAE}: mae: {SAID.format('bounds')} wider by ×∞"),
        (moved, f"{MAE}: mae: {SAID.format('value')} one that is "),
    ],
)
def test_a_golden_that_somebody_else_has_computed_is_refused(
    forge: Callable[[Golden], Golden], sentence: str, golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"{MAE}.npz": encode(forge(golden))}
    (tmp_path / MAE).parent.mkdir()
    for name, content in {**files, MANIFEST: manifest_of(files)}.items():
        (tmp_path / name).write_bytes(content)
    for command, code in (("verify", cli.DISAGREE), ("replay", cli.NOT_CHECKED)):
        with pytest.raises(SystemExit) as ended:
            cli.main(["golden", command, "--fixtures", str(tmp_path)])
        said = capsys.readouterr()
        assert ended.value.code == code
        assert (sentence if command == "verify" else f"{MAE}: ") in said.out + said.err


def test_the_oracle_computes_what_is_stored_in_this_repository() -> None:
    stored = GoldenSet.read(ROOT / FIXTURES)
    goldens = map(stored.golden, stored.names)
    assert [said for golden in goldens for said in unlike_the_oracle(golden, REGISTRY[golden.contract])] == []
