"""`parity check` in a stranger's repository: `tests/stand_in`, as a repository of its own."""

import json

import pytest

from parity import cli

LOSSES, SCANNING = "ptycho_torch/nn/losses.py", "ptycho_torch/scanning.py"


@pytest.fixture
def torch_alone(stranger):
    """The subject that starts sooner, as its main branch has it."""
    text = (stranger.root / "parity.toml").read_text()
    (stranger.root / "parity.toml").write_text(text[: text.index("[subjects.foreign-tf]")])
    stranger.commit("one subject")
    stranger.git("checkout", "-q", "-B", "one")
    stranger.git("checkout", "-q", "-B", "work")
    return stranger


def asked(clone, *options):
    """The exit code, and why each contract was asked."""
    done = clone.python("parity", "check", "--base", "one", "--format", "json", *options)
    assert done.stdout, done.stderr
    return done.returncode, {c["contract"]: c["asked_because"] for c in json.loads(done.stdout)["contracts"]}


def test_what_a_change_breaks_is_found_and_named(torch_alone):
    torch_alone.edit(LOSSES, "measured - expected)", "measured**2 - expected**2)")
    done = torch_alone.python("parity", "check", "--base", "one")
    assert done.returncode == cli.DISAGREE, done.stderr
    assert "losses.mae: foreign-torch disagrees with the oracle, case " in done.stdout
    assert "  foreign-torch, mae in float32: " in done.stdout
    assert "  cause: foreign-torch: " in done.stdout
    assert "  reproduce: parity run losses.mae --case " in done.stdout
    assert "AmplitudeL1 changed in ptycho_torch/nn/losses.py, line 19" in done.stdout


HELPER = "before = (size - size // 2) // 2"
OF_HELPER = {"patches.central_weight", "forward.predict_amplitude"}
CHANGES = {
    "a helper that a contract reaches through three modules": ((SCANNING, HELPER, f"{HELPER} + 0"), OF_HELPER),
    "a comment": ((SCANNING, HELPER, f"{HELPER}  # as much on either side"), set()),
    "a page": (("README.md", "# A user", "# Some user"), set()),
    "a script that no binding imports": (("train.py", "", "print('no light')\n"), set()),
    "a binding": (("parity_torch.py", "scan.photons", "scan.photons"), set()),
    "a constant": ((SCANNING, "import torch\n", "import torch\n\nFLOOR = 1e-3\n"), None),
    "data in the package": (("ptycho_torch/table.csv", "", "1\n"), None),
    "the declaration": (("parity.toml", "[subjects", "\n[subjects"), None),
}
