"""What the tests of benchmarks share: times that were never taken."""

import pytest

from parity.proof.bench.sizes import Timed
from parity.proof.bench.timing import Pace


@pytest.fixture
def timed() -> Timed:
    return Timed("losses.mae", "torch", "eager", 64, Pace((1.0, 0.002, 0.004, 0.003)), Pace((2.0, 0.03, 0.03)))
