"""`parity golden`: what its commands print and change, and every exit code provoked."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity import cli
from parity._ground.errors import UsageError
from parity.cli.golden.options import FIXTURES, chosen
from parity.contracts.declared import REGISTRY
from parity.goldens import folder, proof
from parity.goldens.folder import GoldenSet
from parity.goldens.freeze import freeze
from parity.goldens.history import read_history
from parity.goldens.manifest import HISTORY, faults
from parity.goldens.publish import publish
from parity.judging.quantity import result_of
from parity.stacks import MIRRORED

MAE, FAR_FIELD, COUNT = (
    "losses.mae/even-0",
    "optics.far_field_amplitude/odd-0",
    "scaling.count_photons/readings-0.f64",
)
WHY = ("--reason", "why it is")


def history(fixtures: Path):
    return read_history(GoldenSet.read(fixtures).history)


@pytest.fixture
def foreign(fixtures: Path, stamp, stacks) -> None:
    """The mean absolute error in the set is of inputs that its case does not simulate."""
    old = GoldenSet.read(fixtures)
    golden = old.golden(MAE)
    inputs = {name: array * np.float32(1.5) for name, array in golden.inputs.items()}
    contract = REGISTRY["losses.mae"]
    made = freeze(contract, golden.stratum, golden.seed, golden.precision, inputs, golden.cotangents, stacks).golden
    publish(fixtures, old, {MAE: stamp.on(made, "simulated", {})}, stamp)


# What each name means.


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ((), (MAE, FAR_FIELD, COUNT)),
        ((MAE,), (MAE,)),
        (("losses",), (MAE,)),
        (("losses.mae",), (MAE,)),
        (("scaling.count_photons", "losses"), (COUNT, MAE)),
        ((MAE, "losses"), (MAE,)),
    ],
)
def test_a_name_is_a_golden_a_contract_or_a_file_of_them(names, meant) -> None:
    assert chosen(names, (MAE, FAR_FIELD, COUNT)) == meant


def test_a_variant_of_a_contract_is_meant_by_its_address() -> None:
    known = ("networks.autoencode@32/even-0", "networks.autoencode@64/even-0", "networks.autoencoder/even-0")
    assert chosen(["networks.autoencode"], known) == known[:2]
    assert chosen(["networks.autoencode@64"], known) == known[1:2]


def test_a_name_that_is_none_is_wrong_usage_with_the_nearest() -> None:
    with pytest.raises(UsageError) as near:
        chosen(["losses.mea"], (MAE, FAR_FIELD))
    assert str(near.value) == "unknown golden 'losses.mea'; did you mean 'losses.mae'?"
    with pytest.raises(UsageError, match=r"^unknown golden 'losses.ma'"):
        chosen(["losses.ma"], (MAE,))
    with pytest.raises(UsageError) as empty:
        chosen([], ())
    assert str(empty.value) == "there are no goldens yet; `parity golden promote` freezes cases of a contract"


# verify


def test_verify_0_a_set_that_is_whole(parity_golden, fixtures) -> None:
    assert parity_golden("verify") == (cli.AGREE, f"{fixtures}: 3 goldens, whole\n", "")


def test_verify_3_every_fault_is_printed(parity_golden, fixtures) -> None:
    with (fixtures / f"{MAE}.npz").open("ab") as file:
        file.write(b"!")
    (fixtures / f"{FAR_FIELD}.npz").unlink()
    code, out, _ = parity_golden("verify")
    assert code == cli.NOT_CHECKED == 3
    one, other, summary = out.splitlines()
    assert one.startswith(f"{MAE}.npz: expected ")
    assert other.startswith(f"{FAR_FIELD}.npz: expected ")
    assert summary == f"{fixtures}: 2 faults; nothing here can be relied on"


def test_verify_3_no_set(parity_golden, fixtures) -> None:
    shutil.rmtree(fixtures)
    code, out, _ = parity_golden("verify")
    assert code == cli.NOT_CHECKED
    assert out.startswith(f"{fixtures}: expected a folder with goldens, got none\n")


def test_verify_imports_no_framework(fixtures) -> None:
    program = (
        "import sys\nfrom parity import cli\n"
        "try:\n    cli.main(sys.argv[1:])\n"
        "finally:\n    assert not {'torch', 'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", program, "golden", "verify", "--fixtures", str(fixtures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (cli.AGREE, "")


# replay


def test_replay_0_both_stacks_hold_the_set(parity_golden) -> None:
    code, out, err = parity_golden("replay")
    assert (code, err) == (cli.AGREE, "")
    frameworks, heading, *rows = out.splitlines()
    assert frameworks.startswith("torch ")
    assert " · tensorflow " in frameworks
    assert heading.split()[:2] == ["contract", "goldens"]
    assert [row.split()[0] for row in rows[:3]] == [name.split("/")[0] for name in (MAE, FAR_FIELD, COUNT)]
    assert out.splitlines()[-1] == "3 goldens agree with the oracle and with what the other stack returned"


@pytest.mark.parametrize("stack", ["torch", "tensorflow"])
def test_replay_0_one_stack_where_the_other_is_not_installed(parity_golden, monkeypatch, stack) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in MIRRORED and name != stack else found(name)
    )
    code, out, err = parity_golden("replay", "--stack", stack)
    assert (code, err) == (cli.AGREE, "")
    assert out.splitlines()[-1] == "3 goldens agree with the oracle and with what the other stack returned"


def test_replay_1_names_side_golden_and_place_and_the_line_that_repeats_it(
    parity_golden, fixtures, break_torch, capsys
) -> None:
    break_torch(1.001)
    code, out, _ = parity_golden("replay", "losses", "scaling", "--stack", "torch")
    assert code == cli.DISAGREE == 1
    assert "1 of 2 goldens disagrees" in out
    message = out[out.index("golden losses.mae/even-0: ") :].splitlines()
    assert message[0] == "golden losses.mae/even-0: torch disagrees with the oracle"
    assert message[1].startswith("  torch, mae in float32: ")
    assert message[1].endswith(" times the bound)")
    assert message[2] == "  off: mae, ∂/∂observed, ∂/∂predicted"
    assert message[3].startswith(f"  frozen: {GoldenSet.read(fixtures).golden(MAE).provenance['date']} at ")
    assert message[3].endswith(": the first goldens")
    assert message[-1] == f"  reproduce: parity golden replay {MAE} --stack torch --fixtures {fixtures}"
    with pytest.raises(SystemExit) as again:
        cli.main(shlex.split(message[-1].partition("parity ")[2]))
    assert again.value.code == cli.DISAGREE
    assert "golden losses.mae/even-0: torch disagrees" in capsys.readouterr().out


def test_replay_1_the_default_folder_is_not_part_of_that_line(
    fixtures, break_torch, monkeypatch, tmp_path, capsys, in_process
) -> None:
    (tmp_path / FIXTURES.parent).mkdir()
    fixtures.rename(tmp_path / FIXTURES)
    monkeypatch.chdir(tmp_path)
    break_torch(1.001)
    with pytest.raises(SystemExit) as ended:
        cli.main(["golden", "replay", "losses"])
    assert ended.value.code == cli.DISAGREE
    assert capsys.readouterr().out.endswith(f"  reproduce: parity golden replay {MAE}\n")


def test_replay_1_a_wrong_gradient_and_its_place(parity_golden, break_torch) -> None:
    break_torch(lambda predicted, observed: (predicted - observed.detach()).abs().mean() + 0 * observed.sum())
    code, out, _ = parity_golden("replay", MAE)
    assert code == cli.DISAGREE
    assert "golden losses.mae/even-0: torch disagrees with the oracle (tensorflow agrees)\n" in out
    assert re.search(
        r"^  torch, ∂/∂observed in float32: \S+ at group \d+, patch \d+, row \d+, column \d+, oracle \S+: "
        r"error \S+, allowed \S+ \(\S+ times the bound\)$",
        out,
        re.MULTILINE,
    )


def test_replay_1_a_stack_that_raises(parity_golden, break_torch) -> None:
    break_torch(lambda predicted, observed: 1 / 0)
    code, out, err = parity_golden("replay", MAE)
    assert (code, err) == (cli.DISAGREE, "")
    assert "\n  torch, mae in float32: raised ZeroDivisionError: division by zero\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("replay losses.mae/even-1", "unknown golden 'losses.mae/even-1'; did you mean 'losses.mae/even-0'?"),
        ("replay --stack jax", "Invalid value for '--stack'"),
        ("replay --device tpu", "Invalid value for '--device'"),
        ("list losess", "unknown golden 'losess'"),
        ("regen", "Missing option '--reason'"),
        ("regen losses.mea --reason x", "unknown golden 'losses.mea'; did you mean 'losses.mae'?"),
        ("promote losses.mea --reason x", "unknown contract 'losses.mea'; did you mean 'losses.mae'?"),
        ("promote losses.mae --case odd --reason x", "a case is written stratum/seed, such as odd/17; got 'odd'"),
        ("promote losses.mae --case ood/1 --reason x", "unknown stratum 'ood' of losses.mae; did you mean 'odd'?"),
        ("promote losses.mae --precision f16 --reason x", "Invalid value for '--precision'"),
        ("promote losses.mae --data scan.npz --reason x", "--case: expected measured/N, the number of an exposure"),
        ("promote --reason x", "Missing argument 'CONTRACT...'"),
        ("promote losses.mae --case odd/1", "Missing option '--reason'"),
        ("remove --reason x", "Missing argument 'NAME...'"),
        ("remove losses.mea --reason x", "unknown golden 'losses.mea'; did you mean 'losses.mae'?"),
        ("remove losses.mae", "Missing option '--reason'"),
        ("diff HEAD", "Missing argument 'NEW'"),
        ("rewrite", "No such command 'rewrite'"),
    ],
)
def test_2_wrong_usage(parity_golden, fixtures, snapshot, arguments, message) -> None:
    before = snapshot(fixtures)
    code, out, err = parity_golden(*arguments.split())
    assert code == cli.USAGE == 2
    assert message in err
    assert out == ""
    assert snapshot(fixtures) == before


@pytest.mark.parametrize(
    "arguments",
    [
        "replay",
        "list",
        "history",
        "regen --reason x",
        "promote losses.mae --case odd/1 --reason x",
        "remove losses --reason x",
    ],
    ids=lambda arguments: arguments.split()[0],
)
def test_3_nothing_of_a_damaged_set_is_used(parity_golden, fixtures, snapshot, arguments) -> None:
    with (fixtures / f"{MAE}.npz").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0!\0")
    before = snapshot(fixtures)
    code, out, err = parity_golden(*arguments.split())
    assert (code, out) == (cli.NOT_CHECKED, "")
    assert err.startswith(f"parity: {fixtures}: {MAE}.npz: expected ")
    assert ", got " in err
    assert snapshot(fixtures) == before


@pytest.mark.parametrize("arguments", ["replay", "regen --reason x", "promote losses.mae --case odd/1 --reason x"])
def test_3_a_framework_is_missing(parity_golden, fixtures, monkeypatch, snapshot, arguments) -> None:
    before = snapshot(fixtures)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, out, err = parity_golden(*arguments.split())
    assert (code, out) == (cli.NOT_CHECKED, "")
    assert err.startswith("parity: torch is not installed, so ptycho_torch cannot be checked: pip install ")
    assert snapshot(fixtures) == before


def test_3_a_golden_of_a_contract_that_is_none_any_more(parity_golden, fixtures, stamp) -> None:
    old = GoldenSet.read(fixtures)
    golden = replace(old.golden(MAE), contract="losses.mea")
    publish(fixtures, old, {golden.name: golden}, stamp)
    code, _, err = parity_golden("replay")
    assert code == cli.NOT_CHECKED
    assert err.startswith(
        "parity: losses.mea/even-0: expected a golden of a contract, got one of losses.mea, which does not exist; "
        "did you mean 'losses.mae'?"
    )
    assert parity_golden("remove", "losses.mea", *WHY)[0] == cli.AGREE
    assert parity_golden("replay")[0] == cli.AGREE


# regen


def test_regen_0_twice_changes_nothing_and_touches_nothing(parity_golden, fixtures, snapshot) -> None:
    before = snapshot(fixtures)
    code, out, err = parity_golden("regen", *WHY)
    assert (code, err) == (cli.AGREE, "")
    assert out.splitlines() == ["nothing changed", "no golden changed", f"0 goldens of 3 written to {fixtures}"]
    assert snapshot(fixtures) == before


def test_regen_0_writes_what_drifted_and_then_nothing_more(parity_golden, fixtures, break_torch, snapshot) -> None:
    before = snapshot(fixtures)
    break_torch(1 + 2**-22)
    code, out, _ = parity_golden("regen", "--reason", "torch\n rounds anew")
    assert code == cli.AGREE
    heading, row, *_ = out.splitlines()
    assert heading.split()[:2] == ["golden", "array"]
    assert row.startswith(f"{MAE}  torch/")
    assert " rounding" in row
    assert "1 golden changed by rounding alone, at most " in out
    assert out.splitlines()[-1] == f"1 golden of 3 written to {fixtures}"
    after = snapshot(fixtures)
    assert {name for name in before if before[name] != after[name]} == {
        "history.jsonl",
        "manifest.json",
        f"{MAE}.npz",
    }
    assert history(fixtures)[-1].reason == "torch rounds anew"
    assert GoldenSet.read(fixtures).golden(MAE).provenance["reason"] == "torch rounds anew"
    code, out, _ = parity_golden("regen", *WHY)
    assert (code, out.splitlines()[-1]) == (cli.AGREE, f"0 goldens of 3 written to {fixtures}")
    assert snapshot(fixtures) == after
    assert len(history(fixtures)) == 2


def test_regen_0_writes_only_what_was_asked_for(parity_golden, fixtures, break_torch, snapshot) -> None:
    before = snapshot(fixtures)
    break_torch(1 + 2**-22)
    code, out, _ = parity_golden("regen", "scaling", FAR_FIELD, *WHY)
    assert (code, out.splitlines()[-1]) == (cli.AGREE, f"0 goldens of 2 written to {fixtures}")
    assert snapshot(fixtures) == before


def test_regen_1_a_stack_outside_its_bounds_and_nothing_is_written(
    parity_golden, fixtures, break_torch, snapshot
) -> None:
    before = snapshot(fixtures)
    break_torch(1.001)
    code, out, _ = parity_golden("regen", *WHY)
    assert code == cli.DISAGREE
    assert f"\n\ngolden {MAE}: outside the bounds that it would have now\n  torch, ∂/∂predicted in float32: " in out
    assert out.splitlines()[-1] == "nothing was written: 1 golden would hold what is wrong"
    assert snapshot(fixtures) == before


def test_regen_1_not_even_what_is_right_is_written_beside_it(
    parity_golden, fixtures, break_torch, snapshot, monkeypatch
) -> None:
    from ptycho_torch import scaling

    right = scaling.count_photons
    monkeypatch.setattr(scaling, "count_photons", lambda amplitude: right(amplitude) * (1 + 2**-52))
    break_torch(1.001)
    before = snapshot(fixtures)
    assert parity_golden("regen", *WHY)[0] == cli.DISAGREE
    assert snapshot(fixtures) == before


def test_regen_keeps_the_inputs(parity_golden, fixtures, foreign, snapshot) -> None:
    before = snapshot(fixtures)
    assert parity_golden("regen", *WHY)[0] == cli.AGREE
    assert snapshot(fixtures) == before


def test_regen_inputs_simulates_them_and_says_so(parity_golden, fixtures, foreign, small_set) -> None:
    code, out, _ = parity_golden("regen", "--inputs", *WHY)
    assert code == cli.AGREE
    assert f"{MAE}  inputs/" in out
    assert f"semantic: {MAE}" in out
    now, simulated = (GoldenSet.read(folder).golden(MAE) for folder in (fixtures, small_set))
    np.testing.assert_array_equal(now.inputs["observed"], simulated.inputs["observed"])
    assert now.provenance["inputs"].startswith("SIMULATED ANEW at ")
    assert now.provenance["inputs"].endswith(": why it is")


@pytest.mark.parametrize("command", ["regen", "promote losses.mae --case odd/1", "remove losses"])
def test_2_in_ci_nothing_is_written(parity_golden, fixtures, monkeypatch, snapshot, command) -> None:
    before = snapshot(fixtures)
    monkeypatch.setenv("CI", "true")
    code, out, err = parity_golden(*command.split(), *WHY)
    assert (code, out) == (cli.USAGE, "")
    assert err == (
        "parity: CI: expected a person who reviews what goldens become, got CI=true; do it on your own machine\n"
    )
    assert snapshot(fixtures) == before


@pytest.mark.parametrize("command", ["regen", "promote losses.mae --case odd/1", "remove losses"])
def test_2_without_a_reason_nothing_is_written(parity_golden, fixtures, snapshot, command) -> None:
    before = snapshot(fixtures)
    code, out, err = parity_golden(*command.split(), "--reason", " \n")
    assert (code, out) == (cli.USAGE, "")
    assert err == "parity: --reason: expected something to be said, got ' \\n'\n"
    assert snapshot(fixtures) == before


@pytest.mark.parametrize(
    "file",
    ["parity/physics/oracle/losses.py", "ptycho/losses.py", "ptycho_torch/losses.py"],
    ids=lambda file: file.split("/")[0],
)
def test_2_from_uncommitted_code_nothing_is_recomputed(parity_golden, fixtures, changed_files, snapshot, file) -> None:
    before = snapshot(fixtures)
    changed_files.append(file)
    code, out, err = parity_golden("regen", *WHY)
    assert (code, out) == (cli.USAGE, "")
    assert err == (
        f"parity: {file}: expected committed code, whose commit a golden can name, got changes; commit them first\n"
    )
    assert snapshot(fixtures) == before


def test_changes_outside_the_packages_are_nobody_s_business(parity_golden, changed_files) -> None:
    changed_files += ["fixtures/golden/manifest.json", "docs/physics.md", "tests/conftest.py"]
    assert parity_golden("regen", *WHY)[0] == cli.AGREE
    assert parity_golden("promote", "losses.mae", "--case", "odd/1", *WHY)[0] == cli.AGREE
    assert parity_golden("remove", "losses.mae/odd-1", *WHY)[0] == cli.AGREE


# promote


def test_promote_0_a_case(parity_golden, fixtures) -> None:
    code, out, err = parity_golden("promote", "losses.mae", "--case", "odd/17", "--reason", "ticket 12")
    assert (code, err) == (cli.AGREE, "")
    golden = GoldenSet.read(fixtures).golden("losses.mae/odd-17")
    assert out.splitlines() == [
        f"losses.mae/odd-17: tells {len(golden.proof)} faults from the truth",
        f"1 golden written to {fixtures}",
    ]
    assert golden.outputs.keys() == {"tensorflow", "torch"}
    assert golden.provenance["reason"] == history(fixtures)[-1].reason == "ticket 12"
    assert faults(fixtures) == []


def test_promote_0_in_float64_beside_the_one_in_float32(parity_golden, fixtures) -> None:
    command = ("promote", "losses.mae", "--case", "even/0", "--precision", "f64", *WHY)
    assert parity_golden(*command)[0] == cli.AGREE
    stored = GoldenSet.read(fixtures)
    assert "losses.mae/even-0.f64" in stored.names
    assert stored.golden("losses.mae/even-0.f64").outputs["torch"][result_of("mae")].dtype == np.float64
    assert parity_golden("replay", "losses")[0] == cli.AGREE


def test_promote_0_the_first_golden_makes_the_folder(parity_golden, fixtures) -> None:
    shutil.rmtree(fixtures)
    assert parity_golden("promote", "losses.mae", "--case", "even/0", *WHY)[0] == cli.AGREE
    assert GoldenSet.read(fixtures).names == (MAE,)


def test_promote_0_chooses_cases_itself_and_leaves_those_that_are_goldens(parity_golden, fixtures) -> None:
    code, out, _ = parity_golden("promote", "losses.mae", *WHY)
    assert code == cli.AGREE
    first = {name for name in GoldenSet.read(fixtures).names if name.startswith("losses.mae/")}
    assert len(first) > 1
    assert len([line for line in out.splitlines() if " from the truth" in line]) == len(first - {MAE})
    (said,) = parity_golden("promote", "losses.mae", *WHY)[1].splitlines()
    assert said == f"0 goldens written to {fixtures}: all that would be chosen are goldens already"
    assert len(history(fixtures)) == 2


def test_promote_0_a_failing_case_is_kept_until_the_stack_is_right(
    parity_golden, fixtures, monkeypatch, capsys
) -> None:
    """From the message of a run, through a golden that fails, to one that is whole."""
    from ptycho_torch import losses

    right = losses.mae
    with monkeypatch.context() as while_wrong:
        while_wrong.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * 1.001)
        with pytest.raises(SystemExit):
            cli.main(["run", "losses.mae", "--case", "odd/17", "--mode", "eager"])
        (line,) = (
            line for line in capsys.readouterr().out.splitlines() if line.startswith("  keep it: parity golden ")
        )
        code, out, _ = parity_golden(*shlex.split(line.partition("parity golden ")[2]))
        assert code == cli.AGREE
        assert out.startswith("losses.mae/odd-17: tells ")
        assert "; torch withheld: ∂/∂predicted: " in out
        golden = GoldenSet.read(fixtures).golden("losses.mae/odd-17")
        assert golden.outputs.keys() == {"tensorflow"}
        assert golden.provenance["withheld"].keys() == {"torch"}
        code, out, _ = parity_golden("replay", "losses.mae/odd-17")
        assert code == cli.DISAGREE
        assert "golden losses.mae/odd-17: torch disagrees with the oracle (tensorflow agrees)\n" in out
        assert parity_golden("regen", "losses.mae/odd-17", *WHY)[0] == cli.DISAGREE
    code, out, _ = parity_golden("replay", "losses.mae/odd-17")
    assert code == cli.AGREE
    assert out.splitlines()[-1].endswith(", of which nothing is stored in losses.mae/odd-17")
    code, out, _ = parity_golden("regen", "--reason", "torch is right")
    assert code == cli.AGREE
    assert "outputs added to 1 golden: losses.mae/odd-17" in out
    completed = GoldenSet.read(fixtures).golden("losses.mae/odd-17")
    assert completed.outputs.keys() == {"tensorflow", "torch"}
    assert completed.provenance["withheld"] == {}
    assert parity_golden("replay")[1].splitlines()[-1].endswith(" and with what the other stack returned")


def test_promote_0_a_stack_with_uncommitted_changes_is_withheld(parity_golden, fixtures, changed_files) -> None:
    changed_files.append("ptycho_torch/losses.py")
    code, out, _ = parity_golden("promote", "losses.mae", "--case", "odd/1", *WHY)
    assert code == cli.AGREE
    assert "; torch withheld: ptycho_torch/losses.py has uncommitted changes\n" in out
    assert GoldenSet.read(fixtures).golden("losses.mae/odd-1").outputs.keys() == {"tensorflow"}


def test_promote_0_one_stack(parity_golden, fixtures) -> None:
    assert parity_golden("promote", "losses.mae", "--case", "odd/1", "--stack", "torch", *WHY)[0] == cli.AGREE
    assert GoldenSet.read(fixtures).golden("losses.mae/odd-1").outputs.keys() == {"torch"}


def test_promote_2_the_harness_must_be_committed(parity_golden, fixtures, changed_files, snapshot) -> None:
    before = snapshot(fixtures)
    changed_files += ["parity/physics/oracle/losses.py", "parity/physics/kinds.py"]
    code, _, err = parity_golden("promote", "losses.mae", "--case", "odd/1", *WHY)
    assert code == cli.USAGE
    assert err.startswith("parity: parity/physics/oracle/losses.py and 1 more: expected committed code")
    assert snapshot(fixtures) == before


def test_promote_2_what_is_a_golden_already(parity_golden, fixtures, snapshot) -> None:
    before = snapshot(fixtures)
    code, out, err = parity_golden("promote", "losses.mae", "--case", "even/0", *WHY)
    assert (code, out) == (cli.USAGE, "")
    assert err == (
        f"parity: {MAE}: expected a case that is no golden yet, got one that is; "
        "`parity golden regen` brings it up to date\n"
    )
    assert snapshot(fixtures) == before


def test_promote_3_a_case_that_tells_no_fault(parity_golden, fixtures, monkeypatch, snapshot) -> None:
    before = snapshot(fixtures)
    monkeypatch.setattr(proof, "recognised_faults", lambda contract: ())
    code, out, err = parity_golden("promote", "losses.mae", "--case", "odd/1", *WHY)
    assert (code, out) == (cli.NOT_CHECKED, "")
    assert err.startswith("parity: losses.mae/odd-1: expected a case that tells a fault of losses.mae from the truth")
    assert snapshot(fixtures) == before


def test_promote_measured_exposures_which_are_never_simulated(parity_golden, fixtures, scan, snapshot) -> None:
    code, _, err = parity_golden("promote", "losses.mae", "--case", "measured/1", "--data", str(scan), *WHY)
    assert (code, err) == (cli.AGREE, "")
    scan.unlink()
    assert GoldenSet.read(fixtures).golden("losses.mae/measured-1").provenance["inputs"] == "measured: my scan.npz"
    assert parity_golden("replay", "losses")[0] == cli.AGREE
    assert parity_golden("regen", *WHY)[0] == cli.AGREE
    before = snapshot(fixtures)
    code, _, err = parity_golden("regen", "--inputs", *WHY)
    assert code in (cli.USAGE, cli.NOT_CHECKED)
    assert err.startswith("parity: losses.mae/measured-1: expected inputs that can be simulated, got measured ones")
    assert snapshot(fixtures) == before


# remove, list, diff, history


def test_remove_0_takes_a_golden_away_and_says_why_in_the_history(parity_golden, fixtures) -> None:
    code, out, _ = parity_golden("remove", "losses.mae", "--reason", "it is in odd-0")
    assert (code, out) == (cli.AGREE, f"1 golden removed from {fixtures}: {MAE}\n")
    assert GoldenSet.read(fixtures).names == (FAR_FIELD, COUNT)
    assert (history(fixtures)[-1].reason, history(fixtures)[-1].goldens) == ("it is in odd-0", 0)
    assert faults(fixtures) == []


def test_a_set_of_no_goldens_is_whole_can_be_listed_and_is_not_passed(parity_golden) -> None:
    assert parity_golden("remove", "losses", "optics", "scaling", *WHY)[0] == cli.AGREE
    assert parity_golden("verify")[0] == cli.AGREE
    code, out, _ = parity_golden("list")
    assert code == cli.AGREE
    assert f"{len(REGISTRY)} contracts without a golden: " in out
    for command in (("replay",), ("regen", *WHY)):
        code, _, err = parity_golden(*command)
        assert code == cli.USAGE
        assert err == "parity: there are no goldens yet; `parity golden promote` freezes cases of a contract\n"


def test_list_0_names_what_has_a_golden_and_what_has_none(parity_golden) -> None:
    code, out, _ = parity_golden("list")
    assert code == cli.AGREE
    for name in (MAE, FAR_FIELD, COUNT):
        contract, case = name.removesuffix(".f64").split("/")
        (row,) = (line for line in out.splitlines() if line.startswith(f"{contract} "))
        assert row.split()[1] == case
        assert "tensorflow, torch" in row
        assert row.rstrip().endswith("the first goldens")
    said = " ".join(out.split())
    assert "3 goldens, 0.0" in said
    without = said.partition(f"{len(REGISTRY) - 3} contracts without a golden: ")[2].replace(",", "").split()
    assert set(without) == set(REGISTRY) - {"losses.mae", "optics.far_field_amplitude", "scaling.count_photons"}


def test_list_0_of_some(parity_golden) -> None:
    _, out, _ = parity_golden("list", "losses")
    assert "losses.mae" in out
    assert "scaling" not in out
    assert "without a golden" not in out


def test_diff_0_the_same_and_rounding(parity_golden, fixtures, small_set, break_torch) -> None:
    assert parity_golden("diff", str(small_set), str(fixtures)) == (cli.AGREE, "no golden changed\n", "")
    break_torch(1 + 2**-22)
    parity_golden("regen", *WHY)
    code, out, _ = parity_golden("diff", str(small_set), str(fixtures))
    assert code == cli.AGREE
    assert "1 golden changed by rounding alone, at most " in out
    assert f"{MAE}  torch/" in out


def test_diff_1_a_change_of_meaning(parity_golden, fixtures, small_set, foreign) -> None:
    code, out, _ = parity_golden("diff", str(small_set), str(fixtures))
    assert code == cli.DISAGREE
    assert out.splitlines()[-1] == f"semantic: {MAE}"


def test_diff_3_what_is_no_set(parity_golden, fixtures) -> None:
    code, out, err = parity_golden("diff", "no-such-revision", str(fixtures))
    assert (code, out) == (cli.NOT_CHECKED, "")
    assert err.startswith("parity: no-such-revision: expected a folder with manifest.json")


def test_history_0_is_printed_and_drawn(parity_golden, tmp_path) -> None:
    parity_golden("remove", "losses.mae", "--reason", "no longer needed")
    code, out, _ = parity_golden("history", "--report", str(tmp_path / "report"))
    assert code == cli.AGREE
    assert "the first goldens" in out
    assert "no longer needed" in out
    drawn = [Path(line.removeprefix("history: ")) for line in out.splitlines() if line.startswith("history: ")]
    assert {path.suffix for path in drawn} == {".png", ".svg"}
    assert all(path.stat().st_size > 1000 for path in drawn)


def test_history_0_where_there_is_none_nothing_is_drawn(parity_golden, fixtures, tmp_path) -> None:
    old = GoldenSet.read(fixtures)
    folder.replace(fixtures, old, old.with_changes({HISTORY: None}))
    code, out, err = parity_golden("history", "--report", str(tmp_path / "report"))
    assert (code, out, err) == (cli.AGREE, "nothing was regenerated yet\n", "")
    assert not (tmp_path / "report").exists()


# What several have in common.


@pytest.mark.parametrize("command", ["regen", "promote losses.mae --case odd/1", "remove losses"])
def test_3_a_set_that_changed_meanwhile_is_left_alone(
    parity_golden, fixtures, break_torch, stamp, monkeypatch, command
) -> None:
    """Another writer takes a golden away while this one computes."""
    break_torch(1 + 2**-22)
    read = GoldenSet.read
    meanwhile = []

    def slow(cls, folder):
        stored = read(folder)
        if not meanwhile:
            meanwhile.append(folder)
            publish(folder, stored, {}, stamp, removed=[COUNT])
        return stored

    monkeypatch.setattr(GoldenSet, "read", classmethod(slow))
    code, _, err = parity_golden(*command.split(), *WHY)
    assert code == cli.NOT_CHECKED
    assert "changed while it was recomputed; nothing was written" in err
    assert read(fixtures).names == (MAE, FAR_FIELD)


def test_every_command_says_what_it_does(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["golden", "--help"])
    assert ended.value.code == cli.AGREE
    out = capsys.readouterr().out
    for command in ("verify", "replay", "regen", "diff", "promote", "list", "history", "remove"):
        assert f"\n  {command} " in out
