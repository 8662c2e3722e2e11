"""The hooks and the action, as far as they can be tried without GitHub."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from parity.contracts.mirror import ROOT

HOOKS = ROOT / ".pre-commit-hooks.yaml"
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "parity.yml"


def run(*command, cwd=ROOT, **environment):
    found = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment}
    return subprocess.run(command, cwd=cwd, env=found, capture_output=True, text=True, timeout=600, check=False)


def read(path):
    return YAML(typ="safe").load(path.read_text())


def step(name):
    (found,) = [step for step in read(ACTION)["runs"]["steps"] if step.get("name") == name]
    return found


def test_the_hooks_are_what_pre_commit_takes():
    done = run("pre-commit", "validate-manifest", str(HOOKS))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("schema", "path"), [("github-actions", ACTION), ("github-workflows", WORKFLOW)])
def test_the_action_and_the_workflow_are_what_github_takes(schema, path):
    done = run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", str(path))
    assert done.returncode == 0, done.stdout


def test_every_command_and_option_that_they_name_exists():
    lines = [hook["entry"] for hook in read(HOOKS)] + [step("Check")["run"]]
    lines += [s["run"] for job in read(WORKFLOW)["jobs"].values() for s in job["steps"] if "run" in s]
    asked = {tuple(line.split()[:2]) for line in lines if line.startswith("parity ")}
    assert asked == {("parity", "check"), ("parity", "run"), ("parity", "merge")}
    for _, command in asked:
        known = run(sys.executable, "-m", "parity", command, "--help").stdout
        options = {word.strip('"') for line in lines if f"parity {command}" in line for word in line.split()}
        for option in (word for word in options if word.startswith("--")):
            assert option in known, option


def test_a_hook_runs_the_check_in_the_repository_and_in_a_stranger_s(clone, stranger, tmp_path):
    for place, page in ((clone, "docs/new.md"), (stranger, "NEW.md")):
        (place.root / page).write_text("# New\n")
        place.commit()
        done = run(
            "pre-commit",
            "try-repo",
            str(clone.root),
            "parity-check",
            "--hook-stage",
            "pre-push",
            "--all-files",
            "--verbose",
            cwd=place.root,
            PYTHONPATH=str(clone.root),
            PRE_COMMIT_HOME=str(tmp_path),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"not asked about: {page} (documentation)" in done.stdout


def checked(clone, tmp_path, **environment):
    """The step of the action that checks, as GitHub's shell runs it, in this repository or in a stranger's."""
    page = tmp_path / "summary.md"
    inputs = {"BASE": "main", "ACCEPT_WEAKER": "", "CI": "true", "GITHUB_STEP_SUMMARY": str(page), **environment}
    script = f'parity() {{ {sys.executable} -m parity "$@"; }}\n{step("Check")["run"]}'
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
    return run(*shell, cwd=clone.root, PYTHONPATH=str(clone.harness or clone.root), **inputs), page.read_text()


@pytest.mark.parametrize("repository", ["clone", "stranger"])
def test_the_action_checks_and_fills_the_page_of_the_job(request, repository, tmp_path):
    place = request.getfixturevalue(repository)
    (place.root / "NEW.md").write_text("# New\n")
    done, page = checked(place, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no contract was tried" in page
    assert (place.root / "parity-report" / "report.html").is_file()


def test_the_action_installs_the_harness_that_it_belongs_to(tmp_path):
    """Not what lies in the repository that it checks."""
    script = f'python() {{ printf "%s\n" "$@"; }}\n{step("Install the harness")["run"]}'
    done = run("bash", "-eo", "pipefail", "-c", script, cwd=tmp_path, HARNESS="/a place/parity", EXTRAS="report")
    assert done.stdout.splitlines()[-2:] == ["--editable", "/a place/parity[report]"]
    assert step("Install the harness")["env"]["HARNESS"] == "${{ github.action_path }}"


@pytest.mark.commits
def test_the_action_puts_what_is_wrong_on_the_changed_line(clone, tmp_path):
    right = "absolute_error(predicted, observed).mean()"
    clone.edit("ptycho_torch/losses.py", right, right.replace("mean", "sum"))
    done, page = checked(clone, tmp_path)
    assert done.returncode == 1
    lines = (clone.root / "ptycho_torch" / "losses.py").read_text().splitlines()
    line = lines.index(f"    return {right.replace('mean', 'sum')}")
    assert f"::error file=ptycho_torch/losses.py,line={line + 1},title=losses.mae" in done.stdout
    assert page.splitlines()[0].lstrip("# ").startswith("4 of 4 contracts do not agree")
