"""Reports made of measurements that nobody had to take."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.contracts.contract import Quota
from parity.contracts.declared import REGISTRY
from parity.judging.quantity import result_of
from parity.judging.run import ContractRun
from parity.judging.verdict import judge
from parity.report.content import ContractReport, Report
from parity.report.gathering import held_contract, with_message
from parity.report.pictures import png
from tests.stored import measurement

Held = Callable[..., ContractReport]

EXAMPLES = 5


@pytest.fixture
def held() -> Held:
    """A contract with a measurement for each case, stack and precision, all within the bound but for `torch`'s."""

    def make(name: str = "losses.mae", torch: float = 0.25, fault: str | None = None, **fields: Any) -> ContractReport:
        contract = REGISTRY[name]
        quantity = result_of(contract.results[0].name)
        measurements = tuple(
            measurement(
                name,
                case,
                precision,
                quantity,
                stack,
                torch if stack == "torch" else 0.5,
                fault if stack == "torch" else None,
            )
            for case in [f"{stratum.name}/{seed}" for seed, stratum in enumerate(contract.strata[:EXAMPLES])]
            for precision in ("f32", "f64")
            for stack in ("tensorflow", "torch")
        )
        run = ContractRun(judge(name, measurements, Quota()), measurements, 1.25)
        made = with_message(held_contract(run, contract), contract)
        return ContractReport(**{name: getattr(made, name) for name in ContractReport.__slots__} | fields)

    return make


@pytest.fixture
def report(held: Held) -> Callable[..., Report]:
    """A report of some contracts; of one that agrees, if none are given."""

    def make(*contracts: ContractReport, **fields: Any) -> Report:
        defaults: dict[str, Any] = {"environment": {"python": "3.11", "torch": "2.13"}, "seconds": 2.5}
        return Report("parity run", "parity run losses", contracts or (held(),), **defaults | fields)

    return make


@pytest.fixture(scope="session")
def drawing() -> bytes:
    """A small picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.subplots().imshow(np.eye(4))
    return png(figure)
