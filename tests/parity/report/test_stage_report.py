"""What `parity explain` says, draws and exits with."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from parity import cli
from parity.contracts.cases.case import parse_case
from parity.contracts.declared import REGISTRY
from parity.judging.stage_tree import Tree
from parity.judging.stages import trees_of
from parity.physics.kinds import CANVAS, EXIT_WAVES, POSITIONS
from parity.physics.precision import FLOAT32, FLOAT64
from parity.report.deviations import deviations, place_in_words, shown
from parity.report.error_map import write_error_maps
from parity.report.stages import explanation, headline
from parity.report.terminal import WIDTH, plain
from parity.stacks.base import Framework

Stacks = tuple[Framework, ...]
Parity = Callable[..., tuple[int, str, str]]

PREDICTION = "forward.predict_amplitude"
EAGER = ("--mode", "eager")
ALONE = ("--case", "unconstrained/0", "--stack", "torch", "--precision", "f64")
"""The shortest case there is: three stages in one stack."""


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Any], Any]], None]:
    """Replaces what the PyTorch stack has at `module.function` by what is made of it."""

    def replace(address: str, change: Callable[[Any], Any]) -> None:
        module, function = address.split(".")
        target = importlib.import_module(f"ptycho_torch.{module}")
        monkeypatch.setattr(target, function, change(getattr(target, function)))

    return replace


Wrong = Callable[[str, Callable[[Any], Any]], None]


def trees(stacks: Stacks, contract: str = PREDICTION, case: str = "unconstrained/0") -> tuple[Tree, ...]:
    return trees_of(parse_case(REGISTRY[contract], case), stacks, (FLOAT32, FLOAT64), REGISTRY)


def gain(factor: float) -> Callable[[Any], Any]:
    return lambda right: lambda *arguments, **named: right(*arguments, **named) * factor


def row(text: str, stage: str) -> list[str]:
    """The marks of one stage in the printed tree."""
    (line,) = (line for line in text.splitlines() if f"─ {stage} →" in line)
    _, marks = line.split("→ ")[1].split(" ", 1)
    return [cell.strip() for cell in marks.split("  ") if cell.strip()]


def test_the_verdict_comes_first_when_all_agree(stacks: Stacks) -> None:
    text = plain(explanation(trees(stacks)))
    assert text.splitlines()[:2] == [
        "all stages agree",
        "forward.predict_amplitude, case unconstrained/0, tensorflow and torch in float64 and float32",
    ]
    assert row(text, "optics.illuminate") == ["agrees"] * 4
    assert "wrong" not in text


def test_the_stage_and_the_stack_that_first_diverge_are_named(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.far_field_amplitude", gain(1.001))
    text = plain(explanation(trees(stacks)))
    assert text.splitlines()[:2] == [
        "torch: the first divergence is optics.far_field_amplitude (amplitude), forward",
        "forward.predict_amplitude, case unconstrained/0, torch in float64: the mathematics differs; tensorflow agrees",
    ]
    assert row(text, "optics.illuminate") == ["agrees", "agrees", "agrees", "inherits"]
    assert row(text, "optics.far_field_amplitude") == ["agrees", "agrees", "first divergence", "wrong in itself"]
    assert row(text, "scaling.apply_intensity_scale") == ["agrees", "agrees", "inherits", "inherits"]
    assert "wrong in themselves (torch): optics.far_field_amplitude (amplitude)" in text
    assert "inherit (torch): optics.illuminate (exit_waves), scaling.apply_intensity_scale (predicted)" in text
    assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_the_worst_element_is_given_in_each_stack_and_in_the_oracle(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.far_field_amplitude", gain(2.0))
    chosen = trees(stacks)
    (found,) = (f for f in deviations(shown(chosen)) if f.name == "amplitude")
    measured = found.worst.measurement
    text = plain(explanation(chosen))
    (line,) = (line for line in text.splitlines() if line.startswith("amplitude "))
    group, patch, line_number, column = measured.index
    assert line.split("  ")[-1].strip() == f"{measured.ratio:.3g}"
    assert f"group {group}, patch {patch}" in line
    assert f"row {line_number}, column {column}" in text
    oracle = found.worst.oracle.value[measured.index]
    values = f"{oracle:.4g}", f"✗ {2 * oracle:.4g}", f"{oracle:.4g}", f"{measured.error:.2g}", f"{measured.allowed:.2g}"
    assert [cell.strip() for cell in line.split("  ") if cell.strip()][2:-1] == list(values)


def test_as_many_digits_are_given_as_tell_the_numbers_apart(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.far_field_amplitude", gain(1 + 1e-9))
    line = next(x for x in plain(explanation(trees(stacks))).splitlines() if x.startswith("amplitude "))
    right, wrong_number, oracle = [cell.strip("✗ ") for cell in line.split("  ") if cell.strip()][2:5]
    assert right == oracle != wrong_number


def test_a_gradient_that_is_cut_is_said_to_diverge_backward(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.illuminate", lambda right: lambda patches, probe: right(patches, probe.detach()))
    text = plain(explanation(trees(stacks)))
    assert text.startswith("torch: the first divergence is optics.illuminate (exit_waves), backward\n")
    assert row(text, "optics.illuminate") == ["agrees", "agrees", "agrees", "first divergence"]
    assert "∂/∂probe of exit_waves" in text
    assert "no path" in text
    assert not any(line.startswith("forward ") for line in text.splitlines())


def test_errors_that_cancel_are_called_that(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.illuminate", gain(0.5))
    wrong("optics.far_field_amplitude", gain(2.0))
    text = plain(explanation(trees(stacks)))
    assert text.startswith("torch: the end result agrees, but 2 stages are wrong: their errors cancel\n")
    assert "wrong in themselves (torch): optics.illuminate (exit_waves), optics.far_field_amplitude (amplitude)" in text


def test_an_error_that_does_not_reach_the_end_is_called_that(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.illuminate", gain(-1.0))
    assert headline(trees(stacks)) == "torch: the end result agrees, but 1 stage is wrong: its error does not reach it"


def test_a_miswired_composition_is_called_that(stacks: Stacks, wrong: Wrong) -> None:
    wrong("forward.predict_amplitude", lambda right: lambda **arguments: 2 * right(**arguments))
    text = plain(explanation(trees(stacks)))
    assert text.startswith("torch: every stage is right, the composition is not: it does not do what its stages do\n")
    assert "wrong in themselves" not in text


def test_what_raises_is_quoted(stacks: Stacks, wrong: Wrong) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("out of patience")

    wrong("optics.far_field_amplitude", lambda right: refuse)
    text = " ".join(plain(explanation(trees(stacks))).split())
    assert "torch: the first divergence is optics.far_field_amplitude (amplitude), forward" in text
    assert "torch raised RuntimeError: out of patience" in text
    assert "torch was given nothing by an earlier stage" in text


def test_float32_alone_is_said_to_be_a_matter_of_rounding(stacks: Stacks, wrong: Wrong) -> None:
    wrong(
        "optics.far_field_amplitude",
        lambda right: lambda exit_waves: right(exit_waves) * (1.001 if exit_waves.dtype == torch.complex64 else 1),
    )
    chosen = trees(stacks)
    assert {tree.precision for tree in shown(chosen)} == {"f32"}
    assert "float32 alone: the rounding differs, not the mathematics" in plain(explanation(chosen))


def test_a_stage_within_a_stage_is_named_with_its_way(stacks: Stacks, wrong: Wrong) -> None:
    wrong("optics.far_field_amplitude", gain(1.001))
    text = plain(explanation(trees(stacks[:1], "forward.training_objective", "even/0")))
    assert text.startswith(
        "torch: the first divergence is forward.predict_amplitude › optics.far_field_amplitude (amplitude), forward\n"
    )
    assert "wrong in themselves (torch): forward.predict_amplitude › optics.far_field_amplitude (amplitude)" in text
    assert row(text, "optics.far_field_amplitude") == ["first divergence", "wrong in itself"]


def test_what_is_no_composition_is_said_to_be_wrong_itself(stacks: Stacks, wrong: Wrong) -> None:
    wrong("losses.mae", gain(1.001))
    text = plain(explanation(trees(stacks, "losses.mae", "even/0")))
    assert text.startswith("torch: losses.mae is wrong: mae, ∂/∂predicted, ∂/∂observed\n")
    assert "stage" not in text.splitlines()[0]


def test_both_stacks_wrong_alike_are_named_together(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("ptycho", "ptycho_torch"):
        module = importlib.import_module(f"{package}.scaling")
        monkeypatch.setattr(module, "apply_intensity_scale", gain(2.0)(module.apply_intensity_scale))
    assert headline(trees(stacks)) == (
        "tensorflow and torch: the first divergence is scaling.apply_intensity_scale (predicted), forward"
    )


@pytest.mark.parametrize(
    ("kind", "index", "words"),
    [
        (EXIT_WAVES, (0, 1, 2, 3, 4), "group 0, patch 1, mode 2\nrow 3, column 4"),
        (CANVAS, (1, 2, 3), "group 1\nrow 2, column 3"),
        (POSITIONS, (1, 2, 0), "group 1, patch 2, coordinate 0"),
    ],
)
def test_places_in_words(kind: Any, index: tuple[int, ...], words: str) -> None:
    assert place_in_words(kind, index) == words


def test_error_maps_of_what_has_a_plane(stacks: Stacks, wrong: Wrong, tmp_path: Path) -> None:
    wrong("optics.illuminate", lambda right: lambda patches, probe: right(patches, probe.detach()))
    written = write_error_maps(tmp_path, trees(stacks))
    assert [path.name for path in written] == [
        f"forward.predict_amplitude.{name}.{suffix}"
        for name in ("exit_waves.d_probe", "d_probe")
        for suffix in ("png", "svg")
    ]
    from PIL import Image

    with Image.open(written[0]) as picture:
        assert picture.width == 1200
    assert "<svg" in written[1].read_text()


def test_no_error_map_where_nothing_is_off_or_nothing_has_a_plane(stacks: Stacks, wrong: Wrong, tmp_path: Path) -> None:
    assert write_error_maps(tmp_path, trees(stacks[:1])) == []
    wrong("losses.poisson_nll", gain(np.nan))
    assert headline(trees(stacks[:1], "losses.poisson_nll", "even/0")).startswith("torch: losses.poisson_nll is wrong")
    assert all("poisson_nll.nll" not in p.name for p in write_error_maps(tmp_path, trees(stacks[:1])))


def test_0_all_stages_agree(parity_command: Parity) -> None:
    code, out, err = parity_command("explain", PREDICTION, "--case", "unconstrained/0", *EAGER)
    assert code == cli.AGREE
    assert out.startswith("all stages agree\n")
    assert err == ""


def test_1_a_stage_is_wrong(parity_command: Parity, wrong: Wrong, tmp_path: Path) -> None:
    wrong(
        "scaling.apply_intensity_scale", lambda right: lambda amplitude, log_scale: right(amplitude, log_scale.detach())
    )
    folder = tmp_path / "a" / "report"
    code, out, _ = parity_command("explain", PREDICTION, *ALONE, "--report", str(folder))
    assert code == cli.DISAGREE
    assert out.startswith(
        "torch: the first divergence is scaling.apply_intensity_scale (predicted), backward\n"
        "forward.predict_amplitude, case unconstrained/0, torch in float64: the mathematics differs\n"
    )
    assert list(folder.iterdir()) == []  # the gradient of the scale is one number


def test_1_the_error_maps_are_named(parity_command: Parity, wrong: Wrong, tmp_path: Path) -> None:
    wrong("optics.illuminate", lambda right: lambda patches, probe: right(patches, probe.detach()))
    _, out, _ = parity_command("explain", PREDICTION, *ALONE, "--report", str(tmp_path))
    named = [line.removeprefix("error map: ") for line in out.splitlines() if line.startswith("error map: ")]
    assert sorted(map(Path, named)) == sorted(tmp_path.iterdir())
    assert len(named) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("explain", "Missing argument 'CONTRACT'"),
        (f"explain {PREDICTION}", "Missing option '--case'"),
        ("explain forward.predict --case even/0", "unknown contract 'forward.predict'"),
        (f"explain {PREDICTION} --case ood/0", f"unknown stratum 'ood' of {PREDICTION}; did you mean 'odd'?"),
        (f"explain {PREDICTION} --case odd/0 --precision f16", "unknown precision 'f16'"),
        (f"explain {PREDICTION} --case odd/0 --stack jax", "Invalid value for '--stack'"),
    ],
)
def test_2_wrong_usage(parity_command: Parity, arguments: str, message: str) -> None:
    code, out, err = parity_command(*arguments.split())
    assert code == cli.USAGE
    assert message in err
    assert out == ""


def test_3_matplotlib_is_missing(parity_command: Parity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name))
    code, out, err = parity_command("explain", PREDICTION, *ALONE, "--report", str(tmp_path))
    assert code == cli.NOT_CHECKED
    assert err == (
        "parity: matplotlib is not installed, so error maps cannot be drawn: pip install 'ptycho-parity[report]', "
        "or leave out --report\n"
    )
    assert out == ""


def test_3_a_data_set_that_is_not_there(parity_command: Parity, tmp_path: Path) -> None:
    path = tmp_path / "none.npz"
    code, _, err = parity_command("explain", PREDICTION, "--case", "measured/0", "--data", str(path))
    assert code == cli.NOT_CHECKED
    assert err == f"parity: {path}: expected an .npz file, got no such file\n"


def test_a_user_s_own_exposures(parity_command: Parity, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    np.savez(
        tmp_path / "scan.npz",
        diffraction=random.uniform(0, 9, (6, 8, 8)),
        probeGuess=random.standard_normal((2, 8, 8)) + 1j * random.standard_normal((2, 8, 8)),
        xcoords=random.uniform(0, 20, 6),
        ycoords=random.uniform(0, 20, 6),
    )
    data = ("--data", str(tmp_path / "scan.npz"))
    code, out, _ = parity_command("explain", PREDICTION, "--case", "measured/0", *data, "--stack", "torch")
    assert code == cli.AGREE
    assert "case measured/0, torch in float64 and float32" in out
