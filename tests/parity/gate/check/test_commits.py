"""What a check says of commits that somebody might make: of those that break a stack, and of those that break nothing.

Each is an edit of a source in a clone, as a person would write it, or a helper in an odd place (`placements`). A few
are tried in every run, all by `make commits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from parity.contracts.declared import REGISTRY
from tests.parity.gate.check.placements import BROKEN


@dataclass(frozen=True)
class Commit:
    """An edit, and of one that breaks a contract the cause that is given; "unexplained" where no explanation fits.

    Of one that breaks nothing, `asks_all` says that every contract is asked nevertheless.
    """

    name: str
    file: str
    old: str
    new: str
    contract: str = ""
    cause: str = ""
    asks_all: bool = False

    @property
    def stack(self) -> str:
        return "torch" if self.file.startswith("ptycho_torch/") else "tensorflow"

    def __str__(self) -> str:
        return self.name


T, P = "ptycho/", "ptycho_torch/"

DEFECTIVE = (
    Commit(
        "an amplitude where an intensity is meant",
        f"{P}losses.py",
        "    terms: Tensor = _Deviance.apply(predicted, observed)",
        "    observed = observed.sqrt()\n    terms: Tensor = _Deviance.apply(predicted, observed)",
        "losses.poisson_nll",
        "observed enters unsquared (an amplitude where an intensity is meant)",
    ),
    Commit(
        "a mean where a sum is meant",
        f"{P}losses.py",
        "    return terms.sum(dim=(1, 2, 3))",
        "    return terms.mean(dim=(1, 2, 3))",
        "losses.poisson_nll",
        "the mean over pixels stands for the sum",
    ),
    Commit(
        "a gradient detached",
        f"{P}losses.py",
        "    return (predicted - observed).abs()",
        "    return (predicted.detach() - observed).abs()",
        "losses.absolute_error",
        "predicted is detached",
    ),
    Commit(
        "a squared error for an absolute one",
        f"{T}losses.py",
        "    return tf.abs(predicted - observed)",
        "    return tf.square(predicted - observed)",
        "losses.absolute_error",
        "the result is squared",
    ),
    Commit(
        "a sum for a mean",
        f"{T}losses.py",
        "    return tf.reduce_mean(absolute_error(predicted, observed))",
        "    return tf.reduce_sum(absolute_error(predicted, observed))",
        "losses.mae",
        "a sum stands for the mean",
    ),
    Commit(
        "a phase that is not wrapped",
        f"{P}losses.py",
        "    phase_error = _wrap(_phase(patches) - _phase(target)).abs().mean()",
        "    phase_error = (_phase(patches) - _phase(target)).abs().mean()",
        "losses.complex_mae",
        "the phase difference is not wrapped",
    ),
    Commit(
        "one direction of the variation twice",
        f"{T}losses.py",
        "_energy(patches[:, :, 1:] - patches[:, :, :-1])",
        "_energy(patches[:, 1:] - patches[:, :-1])",
        "losses.total_variation",
        "neighbouring rows are compared twice, columns not at all",
    ),
    Commit(
        "the transform not normalised",
        f"{P}optics.py",
        "    intensity = _squared_modulus(spectrum).sum(dim=2) / exit_waves.shape[-2:].numel()",
        "    intensity = _squared_modulus(spectrum).sum(dim=2)",
        "optics.far_field_amplitude",
        "a factor 1/HW is missing",
    ),
    Commit(
        "the shift left out",
        f"{T}optics.py",
        "_sqrt(tf.signal.fftshift(intensity, axes=(-2, -1)))",
        "_sqrt(intensity)",
        "optics.far_field_amplitude",
        "fftshift is missing",
    ),
    Commit(
        "the inverse shift, which differs where the size is odd",
        f"{P}optics.py",
        "    return _sqrt(torch.fft.fftshift(intensity, dim=(-2, -1)))",
        "    return _sqrt(torch.fft.ifftshift(intensity, dim=(-2, -1)))",
        "optics.far_field_amplitude",
        "ifftshift stands for fftshift",
    ),
    Commit(
        "modes added before they are squared",
        f"{P}optics.py",
        "    intensity = _squared_modulus(spectrum).sum(dim=2) / exit_waves.shape[-2:].numel()",
        "    intensity = _squared_modulus(spectrum.sum(dim=2)) / exit_waves.shape[-2:].numel()",
        "optics.far_field_amplitude",
        "the modes are summed coherently",
    ),
    Commit(
        "the probe conjugated",
        f"{T}optics.py",
        "    return patches[..., None] * probe[:, :, None]",
        "    return patches[..., None] * tf.math.conj(probe)[:, :, None]",
        "optics.illuminate",
        "conjugate of probe",
    ),
    Commit(
        "a sine for a cosine",
        f"{P}optics.py",
        "    return torch.complex(amplitude * torch.cos(phase), amplitude * torch.sin(phase))",
        "    return torch.complex(amplitude * torch.sin(phase), amplitude * torch.cos(phase))",
        "optics.combine_complex",
        "real and imaginary part are exchanged",
    ),
    Commit(
        "an intermediate in half precision",
        f"{P}scaling.py",
        "    return _widen(amplitude).square().sum(dim=(-2, -1))",
        "    return _widen(amplitude).bfloat16().square().sum(dim=(-2, -1)).to(_widen(amplitude).dtype)",
        "scaling.count_photons",
        "an intermediate is bfloat16",
    ),
    Commit(
        "the scale divided by",
        f"{T}scaling.py",
        "    return amplitude * _scale(amplitude, log_scale)",
        "    return amplitude / _scale(amplitude, log_scale)",
        "scaling.apply_intensity_scale",
        "the scale divides where it must multiply",
    ),
    Commit(
        "the mean count left unrooted",
        f"{P}scaling.py",
        "    return torch.sqrt(nphotons / mean_count)",
        "    return nphotons / mean_count",
        "scaling.scale_nphotons",
        "the root is missing",
    ),
    Commit(
        "positions with the other sign",
        f"{P}patches.py",
        "    return positions.mean(dim=1, keepdim=True) - positions",
        "    return positions - positions.mean(dim=1, keepdim=True)",
        "patches.relative_positions",
        "the result has the opposite sign",
    ),
    Commit(
        "patches put where they are taken from",
        f"{P}patches.py",
        "    placed = _moved(weight * patches, -positions, rows, columns).sum(dim=1)",
        "    placed = _moved(weight * patches, positions, rows, columns).sum(dim=1)",
        "patches.reassemble_patches",
        "unexplained",
    ),
    Commit(
        "x and y exchanged",
        f"{P}patches.py",
        "    return _moved(patches, positions, *patches.shape[-2:])",
        "    return _moved(patches, positions.flip(-1), *patches.shape[-2:])",
        "patches.translate",
        "x and y of the positions are exchanged",
    ),
    Commit(
        "patches of a group in another order",
        f"{P}patches.py",
        "    return grid.flatten(1, 2)",
        "    return grid.transpose(1, 2).flatten(1, 2)",
        "patches.grid_to_channel",
        "the grid is column by column (c = column·gridsize + row)",
    ),
)

HARMLESS = (
    Commit("a comment", f"{P}losses.py", "_SERIES_LIMIT = 0.1", "# Chosen by trial.\n_SERIES_LIMIT = 0.1"),
    Commit(
        "another docstring",
        f"{T}losses.py",
        '"""The mean absolute error |predicted - observed| of the amplitudes.',
        '"""The mean of |predicted - observed|, the amplitudes\' error.',
    ),
    Commit("a document", "README.md", "\n## ", "\nOne line more.\n\n## "),
    Commit(
        "a sum from the other end",
        f"{P}losses.py",
        "    return modulus_error + phase_error",
        "    return phase_error + modulus_error",
    ),
    Commit(
        "a local name",
        f"{T}optics.py",
        "    return tf.square(tf.math.real(field)) + tf.square(tf.math.imag(field))",
        "    real, imaginary = tf.math.real(field), tf.math.imag(field)\n"
        "    return tf.square(real) + tf.square(imaginary)",
    ),
    Commit(
        "a mean written as a sum over the number",
        f"{P}losses.py",
        "    return absolute_error(predicted, observed).mean()",
        "    errors = absolute_error(predicted, observed)\n    return errors.sum() / errors.numel()",
    ),
    Commit(
        "the unitary transform",
        f"{P}optics.py",
        '    spectrum = torch.fft.fft2(exit_waves, dim=(-2, -1), norm="backward")\n'
        "    intensity = _squared_modulus(spectrum).sum(dim=2) / exit_waves.shape[-2:].numel()",
        '    spectrum = torch.fft.fft2(exit_waves, dim=(-2, -1), norm="ortho")\n'
        "    intensity = _squared_modulus(spectrum).sum(dim=2)",
    ),
    Commit(
        "a product in another order",
        f"{T}optics.py",
        "    return patches[..., None] * probe[:, :, None]",
        "    return probe[:, :, None] * patches[..., None]",
    ),
    Commit(
        "a square written as a product",
        f"{P}scaling.py",
        "    return _widen(amplitude).square().sum(dim=(-2, -1))",
        "    wide = _widen(amplitude)\n    return (wide * wide).sum(dim=(-2, -1))",
    ),
    Commit(
        "a private function under another name",
        f"{P}scaling.py",
        "_widen(",
        "_as_floating(",
    ),
    Commit("a test", "tests/torch/test_dataloader.py", '"""', '"""Some more. '),
    Commit("an entry of the changelog", "CHANGELOG.md", "\n### Changed\n", "\n### Changed\n\n- Nothing.\n"),
    Commit("a benchmark", "benchmarks/by_hand.py", '"""What three', '"""What some three'),
    Commit("a workflow", ".github/workflows/parity.yml", "name:", "# Every night.\nname:"),
    Commit("a network that no contract has", f"{P}generators/hybrid.py", "functional.gelu(", "functional.relu("),
    Commit("a picture", f"{P}pictures.py", "figsize=(10, 6)", "figsize=(11, 6)"),
    Commit(
        "a value in a function of its own",
        f"{P}losses.py",
        "def mae(predicted: Tensor, observed: Tensor)",
        "def _mean(errors: Tensor) -> Tensor:\n    return errors.mean()\n\n\n"
        "def mae(predicted: Tensor, observed: Tensor)",
    ),
    Commit(
        "a target of make", "Makefile", ".PHONY: clean", "# The environments go, too.\n.PHONY: clean", asks_all=True
    ),
    Commit("a version", "constraints/cpu.txt", "# Versions", "# The versions", asks_all=True),
    Commit("a word of the harness", "parity/report/terminal.py", '"""', '"""So: ', asks_all=True),
)


IN_EVERY_RUN = ("a sum for a mean", "the shift left out", "a comment", "a local name")


def tried(commits):
    return [
        pytest.param(commit, id=commit.name, marks=() if commit.name in IN_EVERY_RUN else pytest.mark.commits)
        for commit in commits
    ]


@pytest.mark.parametrize("commit", tried(DEFECTIVE))
def test_a_commit_that_breaks_a_stack_is_refused_with_contract_stack_and_cause(clone, commit):
    clone.edit(commit.file, commit.old, commit.new)
    clone.commit(commit.name)
    code, said = clone.verdict()
    assert code == 1
    off = {found["contract"]: found for found in said["contracts"] if found["outcome"] != "agree"}
    assert commit.contract in off
    assert off[commit.contract]["sides"] == [commit.stack]
    (cause,) = [line for line in off[commit.contract]["message"].splitlines() if line.startswith("  cause: ")]
    assert cause == f"  cause: {commit.stack}: {commit.cause}"


@pytest.mark.parametrize("commit", tried(HARMLESS))
def test_a_commit_that_breaks_nothing_passes(clone, commit):
    clone.edit(commit.file, commit.old, commit.new)
    clone.commit(commit.name)
    code, said = clone.verdict()
    assert (code, said["verdict"], said["remarks"]) == (0, "agree", [])
    assert (len(said["contracts"]) == len(REGISTRY)) is commit.asks_all


@pytest.mark.commits
@pytest.mark.parametrize("placement", BROKEN, ids=str)
def test_a_helper_that_breaks_a_stack_is_found_wherever_it_lies(clone, placement):
    placement.write(clone.root, "1.0")
    clone.commit()
    placement.write(clone.root, "1.01")
    clone.commit()
    code, said = clone.verdict("--base", "HEAD~1")
    assert code == 1
    assert "losses.mae" in {found["contract"] for found in said["contracts"] if found["outcome"] != "agree"}
