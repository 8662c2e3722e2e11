"""What a check says of the harness itself, and of what cannot be checked; no stack is run but where it says so."""

import json
import re

import pytest

from parity._ground.codes import AGREE, DISAGREE, NOT_CHECKED, USAGE


def weaken(clone, old, new):
    clone.edit("parity/contracts/declared/losses.py", old, new)
    clone.commit()


def test_a_base_equal_to_head_says_that_nothing_has_changed(clone):
    done = clone.check()
    assert done.returncode == AGREE
    assert "nothing has changed" in done.stdout


def test_a_change_that_nothing_depends_on_is_named_and_passes(clone):
    (clone.root / "docs" / "new.md").write_text("# New\n")
    done = clone.check()
    assert done.returncode == AGREE
    assert "not asked about: docs/new.md (documentation)" in done.stdout


def test_a_revision_that_is_none_is_wrong_usage(clone):
    done = clone.check("--base", "no-such-branch")
    assert done.returncode == USAGE
    assert "expected a commit, a branch or a tag, got 'no-such-branch'" in done.stderr


def test_a_golden_that_was_edited_by_hand_is_not_checked(clone):
    golden = next((clone.root / "fixtures" / "golden" / "probe.disk").glob("*.npz"))
    golden.write_bytes(golden.read_bytes()[:-1])
    code, said = clone.verdict()
    assert code == NOT_CHECKED
    assert "the goldens are not whole" in {remark["title"] for remark in said["remarks"]}


def test_what_is_no_python_is_refused_at_its_line_and_nothing_is_asked(clone):
    clone.edit("ptycho_torch/losses.py", "def mae(", "def mae((")
    code, said = clone.verdict()
    (remark,) = said["remarks"]
    assert (code, said["contracts"], remark["title"]) == (DISAGREE, [], "ptycho_torch/losses.py is no Python")
    assert (
        "def mae(("
        in (clone.root / remark["places"][0]["file"]).read_text().splitlines()[remark["places"][0]["line"] - 1]
    )


def test_a_public_function_without_a_contract_is_refused(clone):
    path = clone.root / "ptycho" / "losses.py"
    lines = len(path.read_text().splitlines())
    path.write_text(f"{path.read_text()}\n\ndef huber(predicted: tf.Tensor) -> tf.Tensor:\n    return predicted\n")
    code, said = clone.verdict()
    assert code == DISAGREE
    (remark,) = said["remarks"]
    assert "ptycho.losses.huber: unregistered" in remark["text"]
    assert remark["places"] == [{"file": "ptycho/losses.py", "line": lines + 3}]


@pytest.mark.commits
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'Argument("predicted", AMPLITUDE, exposures.predicted, differentiable=True)',
            'Argument("predicted", AMPLITUDE, exposures.predicted)',
            "the gradient 'predicted' is gone",
        ),
        (
            'strata=(*SHAPES, *EXPOSURES, *EQUAL, *APART),\\n        facts=(\\n            Fact("mae(2',
            'strata=(*EXPOSURES, *EQUAL, *APART),\\n        facts=(\\n            Fact("mae(2',
            "the stratum 'odd' is gone",
        ),
        (
            '            Fact("mae(A, A) = 0", _zero_at_the_observation, broken_by="observed-squared"),\\n',
            "",
            "the fact 'mae(A, A) = 0' is gone",
        ),
    ],
    ids=["a gradient", "a stratum", "a fact"],
)
def test_a_contract_that_promises_less_is_refused_unless_somebody_says_why(clone, old, new, said):
    weaken(clone, old.replace("\\n", "\n"), new.replace("\\n", "\n"))
    code, found = clone.verdict()
    assert code in (DISAGREE, NOT_CHECKED)  # without a gradient the oracle has one too many, and nothing can be judged
    weaker = [remark for remark in found["remarks"] if remark["title"].endswith("is weaker than it was")]
    assert any(said in remark["text"] for remark in weaker)
    assert {remark["weight"] for remark in weaker} == {"failed"}
    code, found = clone.verdict("--accept-weaker", "it was never right")
    weaker = [remark for remark in found["remarks"] if remark["title"].endswith("is weaker than it was")]
    assert {remark["weight"] for remark in weaker} == {"noted"}
    assert all("accepted: it was never right" in remark["text"] for remark in weaker)


@pytest.mark.commits
def test_two_checks_say_the_same(clone):
    clone.edit(
        "ptycho_torch/losses.py",
        "absolute_error(predicted, observed).mean()",
        "absolute_error(predicted, observed).sum()",
    )
    first, second = (clone.verdict() for _ in range(2))

    def numbers(said):
        return re.sub(r'"seconds": [0-9.]+', "", json.dumps(said))

    assert numbers(first[1]) == numbers(second[1])
    assert first[0] == second[0] == DISAGREE


TORCH_MAE = "    return absolute_error(predicted, observed).mean()"


@pytest.mark.commits
@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("__import__('time').sleep(1000)", "losses.mae: torch took longer than the limit of 20 s"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "losses.mae: torch's process was killed (SIGKILL"),
        ("__import__('os')._exit(0)", "losses.mae: torch's process ended itself with exit code 0"),
        ("bytearray(2**62)", "losses.mae: ran out of memory"),
    ],
    ids=["hangs", "is killed", "ends its process", "runs out of memory"],
)
def test_what_takes_its_process_with_it_is_not_checked(clone, does, said):
    clone.edit("ptycho_torch/losses.py", TORCH_MAE, f"    {does}\n{TORCH_MAE}")
    clone.commit()
    code, found = clone.verdict("--limit", "20")
    assert (code, found["verdict"]) == (NOT_CHECKED, "not checked")
    texts = [remark["text"] for remark in found["remarks"] if remark["weight"] == "not checked"]
    assert any(said in text for text in texts), texts


@pytest.mark.commits
def test_a_stack_that_cannot_be_imported_is_a_disagreement_that_says_so(clone):
    clone.edit("ptycho_torch/losses.py", "import torch\n", "import torch\nimport no_such_module\n")
    clone.commit()
    code, found = clone.verdict()
    assert code in (DISAGREE, NOT_CHECKED)
    assert "No module named 'no_such_module'" in json.dumps(found)


def test_output_that_cannot_be_written_is_not_a_verdict(clone):
    with open("/dev/full", "w") as full:  # noqa: PTH123 a device
        done = clone.check(stdout=full)
    assert done.returncode == NOT_CHECKED
    assert "No space left on device" in done.stderr


def test_a_report_that_cannot_be_written_is_not_a_verdict(clone, tmp_path):
    (clone.root / "docs" / "new.md").write_text("# New\n")
    (tmp_path / "report.html").mkdir()
    (tmp_path / "report.html" / "kept").touch()
    done = clone.check("--report", str(tmp_path))
    assert done.returncode == NOT_CHECKED
    assert "expected to write the report there" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
