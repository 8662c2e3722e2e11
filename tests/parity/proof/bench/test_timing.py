"""Time, taken: what is said of it, not how much it is."""

from parity.proof.bench import timing
from parity.proof.bench.timing import Pace, Stopwatch, paced


def test_the_first_call_is_told_apart():
    pace = Pace((9.0, 0.25, 0.5, 0.125))
    assert (pace.first, pace.steady, pace.per_second) == (9.0, 0.25, 4.0)


def test_a_quick_call_is_repeated_but_not_for_ever(monkeypatch):
    called = []
    assert len(paced(lambda: called.append(0)).seconds) == len(called) == timing.MOST_CALLS + 1
    monkeypatch.setattr(timing, "LEAST_SECONDS", 0.0)
    assert len(paced(lambda: None).seconds) == timing.LEAST_CALLS + 1


def test_steps_add_up():
    clock = Stopwatch()
    for _ in range(2):
        with clock("step"):
            pass
    assert list(clock.seconds) == ["step"]
    assert clock.seconds["step"] > 0
