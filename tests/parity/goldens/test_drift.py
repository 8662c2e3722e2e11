import math
from dataclasses import replace

import numpy as np
import pytest

from parity.goldens.drift import MOST_DIGITS, Drift, Nature, drifts, ulps, worst_nature
from parity.goldens.record import Golden
from parity.judging.quantity import gradient_of, result_of
from parity.physics.precision import FLOAT32, FLOAT64

ERROR = result_of("mae")

BOUND = 2.0**-20
"""Of a golden in float32: 8 unit roundoffs of 2^-24, doubled; the same computation in float64 errs by at most 2^-49."""
IN_FLOAT64 = 2.0**-49


def golden(**changes):
    """A golden with one number of everything, all of it 1."""
    parts = {
        "precision": FLOAT32,
        "inputs": {"observed": np.array([1], np.float32), "index": np.array([1])},
        "cotangents": {"mae": np.array(1, np.float32)},
        "oracle": {ERROR: np.array(1.0), gradient_of("observed"): np.array([1.0])},
        "bounds": {ERROR: np.array(BOUND), gradient_of("observed"): np.array([BOUND])},
        "outputs": {"torch": {ERROR: np.array(1, np.float32)}},
        "proof": {"a factor 2": 120.0, "negated": 14.0},
        "provenance": {"date": "2026-11-23"},
    }
    return Golden("losses.mae", "even", 1, **{**parts, **changes})


def only_drift(old, new):
    (drift,) = drifts(old, new)
    assert drift.golden == "losses.mae/even-1"
    return drift


def of_output(old, new, bound=BOUND):
    old, new = np.asarray(old), np.asarray(new)
    bounds = {ERROR: np.broadcast_to(bound, old.shape).astype(float)}
    one = golden(oracle={ERROR: old.astype(np.result_type(old, float))}, bounds=bounds, outputs={"torch": {ERROR: old}})
    return only_drift(one, replace(one, outputs={"torch": {ERROR: new}}))


def of_oracle(new, old=1.0, bound=BOUND, precision=FLOAT32):
    parts = {"bounds": {ERROR: np.array(bound)}, "precision": precision}
    one = golden(oracle={ERROR: np.array(old)}, **parts)
    (drift,) = drifts(one, replace(one, oracle={ERROR: np.array(new)}))
    return drift


def of_bounds(old, new):
    one = golden(oracle={ERROR: np.ones(len(old))}, outputs={}, bounds={ERROR: np.array(old)})
    return only_drift(one, replace(one, bounds={ERROR: np.array(new)}))


def of_proof(**proof):
    return only_drift(golden(proof={"a": 120.0, "b": 14.0}), golden(proof=proof))


def test_equal_goldens_do_not_drift_whenever_they_were_made():
    assert drifts(golden(), golden(provenance={"date": "2031-01-01", "reason": "again"})) == []


def test_an_output_may_cross_from_one_side_of_the_oracle_to_the_other():
    limit = np.float32(1 + 2 * BOUND)
    assert of_output(np.float32(1), limit) == Drift(
        "losses.mae/even-1", "torch/value/mae", Nature.ROUNDING, 2.0, 16.0, -math.log10(2 * BOUND)
    )
    beyond = of_output(np.float32(1), np.nextafter(limit, np.float32(2)))
    assert beyond.nature is Nature.SEMANTIC
    assert (beyond.bounds, beyond.ulps) == (2.125, 17.0)


def test_each_element_has_its_own_bound():
    old = np.ones(2, np.float32)
    new = np.array([1, 1 + 4 * BOUND], np.float32)
    assert of_output(old, new, bound=np.array([BOUND, 2 * BOUND])).nature is Nature.ROUNDING
    assert of_output(old, new, bound=np.array([2 * BOUND, BOUND])).nature is Nature.SEMANTIC


def test_complex_outputs_are_measured_by_modulus_and_counted_in_the_worse_part():
    step = np.float32(2.0**-23)
    drift = of_output(np.complex64(1 + 1j), np.complex64(1 + 3 * step + (1 + 4 * step) * 1j))
    assert drift.ulps == 4.0
    assert drift.bounds == 5 * 2.0**-23 / BOUND
    assert drift.nature is Nature.ROUNDING


def test_the_oracle_may_move_by_its_rounding_in_float64_and_no_more():
    limit = 1 + 2 * IN_FLOAT64
    at = of_oracle(limit)
    assert (at.array, at.nature, at.bounds, at.ulps) == (
        "oracle/value/mae",
        Nature.ROUNDING,
        2 * IN_FLOAT64 / BOUND,
        16.0,
    )
    assert of_oracle(np.nextafter(limit, 2)).nature is Nature.SEMANTIC


def test_the_oracle_of_a_float64_golden_has_the_bound_itself():
    limit = 1 + 2 * BOUND
    assert of_oracle(limit, precision=FLOAT64).nature is Nature.ROUNDING
    assert of_oracle(np.nextafter(limit, 2), precision=FLOAT64).nature is Nature.SEMANTIC


def test_an_exact_oracle_may_not_move_at_all():
    assert of_oracle(np.nextafter(1.0, 2), bound=FLOAT32.smallest_normal).nature is Nature.SEMANTIC
    tiny = FLOAT64.smallest_normal
    assert of_oracle(2 * tiny, old=0.0, bound=FLOAT32.smallest_normal).nature is Nature.ROUNDING


def test_where_nothing_is_known_of_rounding_an_output_may_be_anything_and_the_oracle_may_not_move():
    output = of_output(np.float32(1), np.float32(7), bound=np.inf)
    assert (output.nature, output.bounds, output.note) == (Nature.ROUNDING, 0.0, "")
    oracle = of_oracle(7.0, bound=np.inf)
    assert (oracle.nature, oracle.bounds) == (Nature.SEMANTIC, 0.0)
    assert oracle.note == "1 of 1 elements moved where no bound is known"


@pytest.mark.parametrize("bound", [BOUND, np.inf])
def test_nan_against_a_number_cannot_be_compared(bound):
    drift = of_output(np.array([1, 2], np.float32), np.array([1, np.nan], np.float32), bound=bound)
    assert drift == Drift(
        "losses.mae/even-1", "torch/value/mae", Nature.SEMANTIC, math.inf, math.inf, 0.0, "2 → nan at (1,)"
    )


def test_nan_and_infinities_that_stay_do_not_count():
    old = np.array([np.nan, np.inf, -np.inf, 1], np.float32)
    new = np.array([np.nan, np.inf, -np.inf, np.nextafter(np.float32(1), np.float32(2))], np.float32)
    drift = of_output(old, new)
    assert (drift.nature, drift.ulps, drift.bounds) == (Nature.ROUNDING, 1.0, 2.0**-23 / BOUND)
    assert drift.digits == -math.log10(2.0**-23)


def test_a_number_that_becomes_infinite_is_infinitely_far_off():
    drift = of_output(np.float32(1), np.float32(np.inf))
    assert (drift.nature, drift.bounds, drift.digits) == (Nature.SEMANTIC, math.inf, 0.0)
    largest_exponent = 128  # from 1 = 2^0 to 2^128, which would be infinity: 2^23 numbers an octave
    assert drift.ulps == largest_exponent * 2.0**23


def test_the_sign_of_zero_is_a_change_that_has_no_size():
    drift = of_output(np.float32(0), np.float32(-0.0))
    assert (drift.nature, drift.bounds, drift.ulps, drift.digits) == (Nature.ROUNDING, 0.0, 0.0, MOST_DIGITS)
    assert drift.note == "signs of 0 or kinds of NaN alone"


def test_no_digit_is_left_of_what_was_zero_or_is_off_by_more_than_itself():
    assert of_output(np.float32(0), np.float32(1)).digits == 0.0
    assert of_output(np.float32(1), np.float32(-3)).digits == 0.0


@pytest.mark.parametrize(
    ("new", "note"),
    [
        (np.ones((2, 1), np.float32), "shape (1, 2) → (2, 1)"),
        (np.ones((1, 2)), "dtype float32 → float64"),
    ],
)
def test_another_shape_or_dtype_cannot_be_compared(new, note):
    drift = of_output(np.ones((1, 2), np.float32), new)
    assert (drift.nature, drift.bounds, drift.ulps, drift.digits) == (Nature.SEMANTIC, math.inf, math.inf, 0.0)
    assert drift.note == note


def test_bounds_may_move_by_a_billionth():
    assert of_bounds([1.0, 1.0], [1 + 1e-9, 1 - 1e-9]).nature is Nature.ROUNDING
    wider = of_bounds([1.0], [np.nextafter(1 + 1e-9, 2)])
    assert (wider.nature, wider.note) == (Nature.SEMANTIC, "wider by ×1.000000001")
    assert of_bounds([1.0], [np.nextafter(1 - 1e-9, 0)]).nature is Nature.SEMANTIC


@pytest.mark.parametrize(
    ("old", "new", "bounds", "note"),
    [
        ([2.0, 1.0], [3.0, 1.0], 0.5, "wider by ×1.5"),
        ([2.0, 1.0], [0.5, 1.0], 0.75, "narrower by ×4"),
        ([2.0, 1.0], [3.0, 0.5], 0.5, "wider by ×1.5, narrower by ×2"),
        ([2.0, np.inf], [2.0, 1.0], math.inf, "narrower by ×∞"),
        ([2.0, 1.0], [2.0, np.inf], math.inf, "wider by ×∞"),
        ([0.0], [1.0], math.inf, "wider by ×∞"),
        ([np.inf, 2.0], [np.inf, 4.0], 1.0, "wider by ×2"),
    ],
)
def test_wider_and_narrower_bounds_judge_otherwise(old, new, bounds, note):
    drift = of_bounds(old, new)
    assert (drift.array, drift.nature, drift.bounds, drift.note) == ("bounds/value/mae", Nature.SEMANTIC, bounds, note)


@pytest.mark.parametrize(
    ("part", "arrays", "array", "moved"),
    [
        ("inputs", {"observed": np.array([np.nextafter(np.float32(1), np.float32(2))])}, "observed", 1.0),
        ("inputs", {"index": np.array([5])}, "index", 4.0),
        ("inputs", {"index": np.array([2**62 + 1])}, "index", 2.0**62),
        ("cotangents", {"mae": np.array(np.nextafter(np.float32(1), np.float32(0)))}, "mae", 1.0),
    ],
)
def test_a_question_is_never_rounded(part, arrays, array, moved):
    old = golden()
    drift = only_drift(old, replace(old, **{part: {**getattr(old, part), **arrays}}))
    assert (drift.array, drift.nature) == (f"{part}/{array}", Nature.SEMANTIC)
    assert (drift.bounds, drift.ulps) == (math.inf, moved)


def test_another_case_is_another_question():
    drift = drifts(golden(), replace(golden(), seed=2))[0]
    assert (drift.golden, drift.array, drift.nature) == ("losses.mae/even-2", "case", Nature.SEMANTIC)
    assert drift.note == "seed 1 → 2"


def test_a_ratio_of_the_proof_may_move_by_one_of_its_last_digit():
    assert of_proof(a=130.0, b=13.0).nature is Nature.ROUNDING
    assert of_proof(a=130.0, b=13.0).bounds == 0.0
    drift = of_proof(a=140.0, b=14.0)
    assert (drift.nature, drift.note) == (Nature.SEMANTIC, "a: 1.2e+02 → 1.4e+02 times the bound")


def test_faults_that_are_told_no_longer_or_only_now_are_named():
    drift = of_proof(a=120.0, c=20.0)
    assert (drift.array, drift.nature, drift.note) == ("proof", Nature.SEMANTIC, "tells no longer: b; tells now: c")
    assert of_proof(v=1.0, w=1.0).note == "tells no longer: a; tells no longer: b; tells now: v; and 1 more"


def test_a_proof_that_names_more_faults_is_added_to():
    drift = of_proof(a=120.0, b=14.0, c=20.0)
    assert (drift.nature, drift.note) == (Nature.ADDED, "tells now: c")


def test_an_output_filled_in_changes_no_meaning_and_one_that_is_gone_does():
    with_both = golden(outputs={stack: {ERROR: np.array(1, np.float32)} for stack in ("tensorflow", "torch")})
    filled, gone = only_drift(golden(), with_both), only_drift(with_both, golden())
    assert (filled.array, filled.nature, filled.note) == ("tensorflow/value/mae", Nature.ADDED, "new")
    assert (gone.array, gone.nature, gone.note) == ("tensorflow/value/mae", Nature.SEMANTIC, "gone")


@pytest.mark.parametrize(
    ("part", "name"),
    [("inputs", "more"), ("cotangents", "more"), ("oracle", result_of("more")), ("bounds", result_of("more"))],
)
def test_any_other_array_that_comes_or_goes_changes_the_meaning(part, name):
    old = golden()
    more = replace(old, **{part: {**getattr(old, part), name: np.array(1.0)}})
    for before, after, note in ((old, more, "new"), (more, old, "gone")):
        drift = only_drift(before, after)
        assert (drift.nature, drift.note) == (Nature.SEMANTIC, note)


def test_the_worst_comes_first():
    old = golden()
    new = golden(
        oracle={ERROR: np.array(2.0), gradient_of("observed"): np.array([1 + IN_FLOAT64])},
        outputs={"torch": {ERROR: np.array(1 + BOUND, np.float32), gradient_of("observed"): np.array([1], np.float32)}},
    )
    assert [(drift.array, drift.nature) for drift in drifts(old, new)] == [
        ("oracle/value/mae", Nature.SEMANTIC),
        ("torch/gradient/observed", Nature.ADDED),
        ("torch/value/mae", Nature.ROUNDING),
        ("oracle/gradient/observed", Nature.ROUNDING),
    ]


def test_natures_are_ordered_by_how_serious_they_are():
    assert worst_nature([]) is Nature.SAME
    assert worst_nature([Nature.ADDED, Nature.ROUNDING]) is Nature.ADDED
    assert worst_nature(Nature) is Nature.SEMANTIC


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_ulps_count_the_numbers_in_between(dtype):
    one, smallest = np.array([1], dtype), np.array([np.finfo(dtype).smallest_subnormal], dtype)
    assert ulps(one, np.nextafter(one, dtype(0))) == 1.0
    assert ulps(-smallest, smallest) == 2.0
    assert ulps(np.array([-0.0], dtype), smallest) == 1.0
    assert ulps(one, 2 * one) == 2.0 ** np.finfo(dtype).nmant
    assert ulps(one[:0], one[:0]) == 0.0


def test_ulps_span_all_of_float64():
    most = np.array([np.finfo(np.float64).max])
    numbers = 2 * int(most.view(np.int64)[0])
    assert ulps(-most, most) == float(numbers)
    assert ulps(most, np.array([np.nan])) == math.inf


def test_integers_and_flags_are_counted_without_overflow():
    span = np.iinfo(np.int64)
    assert ulps(np.array([span.min]), np.array([span.max])) == 2.0**64
    assert ulps(np.array([True]), np.array([False])) == 1.0


def test_a_large_integer_that_moved_by_one_is_no_sign_of_zero():
    old, new = (golden(inputs={"observed": np.array([2**62 + step])}) for step in (0, 1))
    drift = only_drift(old, new)
    assert (drift.nature, drift.ulps, drift.note) == (Nature.SEMANTIC, 1.0, "")


def test_a_text_among_the_inputs_has_no_size():
    old, new = (golden(inputs={"observed": np.array(text)}) for text in ("same", "full"))
    drift = only_drift(old, new)
    assert (drift.nature, drift.bounds, drift.ulps, drift.note) == (Nature.SEMANTIC, math.inf, math.inf, "another text")
