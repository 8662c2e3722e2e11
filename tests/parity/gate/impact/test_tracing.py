"""What runs is seen, whatever a stack compiles, and however often it did."""

import pytest

from parity.contracts.cases.case import parse_case
from parity.contracts.declared import REGISTRY
from parity.gate.impact.definitions import definitions_at
from parity.physics.precision import FLOAT32
from parity.stacks.foreign import Foreign
from parity.stacks.subjects import subjects_in

BINDINGS = """from parity_binding import binds
import mine


@binds("losses.mae")
def mae(predicted, observed):
    return mine.mae(predicted, observed)
"""

PACKAGE = """import {module}

import apart


{decorator}
def size(x):
    return abs(x)


@{decorator_of_mae}
def mae(predicted, observed):
    return {mean}(size(predicted - observed))


def unused():
    return apart.table()


TABLE = apart.table()
"""

APART = "def table():\n    return [1, 2]\n"

COMPILED = {
    "eager torch": ("torch", "# no", "torch.no_grad()", "torch.mean"),
    "torch.compile": ("torch", "@torch.compile", "torch.compile", "torch.mean"),
    "TorchScript": ("torch", "@torch.jit.script", "torch.jit.script", "torch.mean"),
    "tf.function": ("tensorflow", "@tensorflow.function", "tensorflow.function", "tensorflow.reduce_mean"),
    "XLA": ("tensorflow", "# no", "tensorflow.function(jit_compile=True)", "tensorflow.reduce_mean"),
}


@pytest.mark.parametrize("how", COMPILED)
def test_a_function_is_seen_to_run_however_it_is_compiled(tmp_path, how):
    module, decorator, decorator_of_mae, mean = COMPILED[how]
    package = PACKAGE.format(module=module, decorator=decorator, decorator_of_mae=decorator_of_mae, mean=mean)
    for name, text in (("mine.py", package), ("apart.py", APART), ("parity_mine.py", BINDINGS)):
        (tmp_path / name).write_text(text)
    declared = f'[subjects.mine]\nframework = "{module}"\npackage = "mine"\nbindings = "parity_mine.py"\n'
    (tmp_path / "parity.toml").write_text(declared)
    contract = REGISTRY["losses.mae"]
    inputs = parse_case(contract, "even/0").inputs()
    framework = Foreign(subjects_in(tmp_path)["mine"], traced=tmp_path)
    try:
        framework.evaluate(contract, inputs, FLOAT32)
        traces = [framework.trace(contract, inputs, FLOAT32)() for _ in range(2)]
    finally:
        framework.end()
    mine, apart, bindings = (str(tmp_path / name) for name in ("mine.py", "apart.py", "parity_mine.py"))
    for trace in traces:
        assert {file for file, _ in trace.called} == {mine, bindings}
        assert set(definitions_at(package, [line for file, line in trace.called if file == mine])) == {"size", "mae"}
        assert trace.imported == {(apart, 1)}
        assert trace.loaded == {mine, apart}
