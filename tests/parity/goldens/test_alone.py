"""What goldens are for: each stack held to the other's results on a machine that lacks the other's framework.

The committed goldens, replayed in processes in which the other framework cannot be imported.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from parity.cli.golden.options import FIXTURES
from parity.goldens.manifest import HISTORY, MANIFEST

ROOT = Path(__file__).parents[3]

ALONE = """
import sys

blocked = {blocked}
for name in blocked:
    sys.modules[name] = None

from parity import cli

try:
    cli.main(["golden", "replay", "--stack", "{stack}", "--fixtures", "{fixtures}"])
finally:
    imported = [name for name in sys.modules if name.split(".")[0] in blocked and sys.modules[name] is not None]
    assert not imported, imported
    assert all(sys.modules[name] is None for name in blocked)
"""


@pytest.mark.golden
@pytest.mark.parametrize(
    ("stack", "blocked"), [("torch", ("tensorflow", "keras")), ("tensorflow", ("torch",))], ids=["torch", "tensorflow"]
)
def test_a_stack_is_held_to_the_other_s_results_without_the_other_s_framework(
    stack: str, blocked: tuple[str, ...]
) -> None:
    fixtures = ROOT / FIXTURES
    goldens = [path for path in fixtures.rglob("*") if path.is_file() and path.name not in (MANIFEST, HISTORY)]
    assert goldens
    program = ALONE.format(blocked=blocked, stack=stack, fixtures=fixtures)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == (
        f"{len(goldens)} goldens agree with the oracle and with what the other stack returned"
    )
