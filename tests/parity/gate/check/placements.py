"""Places where a helper can lie that a loss of the PyTorch stack uses: in each it is a factor of 1, and then of 1.01."""

from __future__ import annotations

import os
import pickle
import py_compile
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOSSES = "ptycho_torch/losses.py"
BEFORE = "from ptycho_torch.patches import central_weight\n"
MAE = "    return absolute_error(predicted, observed).mean()"
GAIN = "FACTOR"
"""Stands for the factor in a text."""

F = "def f(x):\n    return x * FACTOR\n"
F2 = "def f(x):\n    return x\n\n\ndef g(x):\n    return x * FACTOR\n"
P = "ptycho_torch/"


@dataclass(frozen=True)
class Placement:
    """How `mae` comes by its factor: what stands at the head of its file, what in it, what it returns of `x`, and files
    beside it. `make` does with a folder, a factor and git what no text does."""

    name: str
    head: str = ""
    inside: str = ""
    returned: str = "f(x)"
    files: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Path, str], None] | None = None

    def write(self, root: Path, factor: str) -> None:
        """Write it, over what is there."""
        losses = root / LOSSES
        text = losses.read_text()
        if MAE in text:
            inside = "".join(f"    {line}\n" for line in self.inside.splitlines())
            text = text.replace(BEFORE, f"{BEFORE}{self.head}\n")
            text = text.replace(
                MAE, f"    x = absolute_error(predicted, observed).mean()\n{inside}    return {self.returned}"
            )
            losses.write_text(text)
        for path, content in self.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            kept = (root / path).read_text().partition("# placed\n")[0] if path == f"{P}__init__.py" else ""
            (root / path).write_text(
                f"{kept}# placed\n{content.replace(GAIN, factor)}" if kept else content.replace(GAIN, factor)
            )
        if self.make:
            self.make(root, factor)

    def __str__(self) -> str:
        return self.name


def git(place: Path, *arguments: str) -> None:
    options = [
        "-c",
        "commit.gpgsign=false",
        "-c",
        "protocol.file.allow=always",
        "-c",
        "user.name=s",
        "-c",
        "user.email=s@s",
    ]
    subprocess.run(["git", *options, *arguments], cwd=place, check=True, capture_output=True)


def compiled(root: Path, factor: str) -> None:
    source = root / P / "means.py"
    source.write_text(F.replace(GAIN, factor))
    py_compile.compile(str(source), cfile=str(root / P / "means.pyc"), doraise=True)
    source.unlink()


def zipped(root: Path, factor: str) -> None:
    with zipfile.ZipFile(root / P / "means.zip", "w") as archive:
        archive.writestr("means.py", F.replace(GAIN, factor))


def pickled(root: Path, factor: str) -> None:
    (root / P / "gain.pkl").write_bytes(pickle.dumps(float(factor)))


def submodule(root: Path, factor: str) -> None:
    inner = root / P / "inner"
    if not inner.exists():
        inner.mkdir()
        git(inner, "init", "-q", "-b", "main")
    (inner / "means.py").write_text(F.replace(GAIN, factor))
    git(inner, "add", "-A")
    git(inner, "commit", "-q", "-m", "inner")


def linked(root: Path, factor: str) -> None:
    (root / "docs" / "means.py").write_text(F.replace(GAIN, factor))
    if not (root / P / "means.py").is_symlink():
        (root / P / "means.py").symlink_to(Path("..", "docs", "means.py"))


def linked_folder(root: Path, factor: str) -> None:
    (root / "docs" / "inner").mkdir(exist_ok=True)
    (root / "docs" / "inner" / "means.py").write_text(F.replace(GAIN, factor))
    if not (root / P / "inner").is_symlink():
        (root / P / "inner").symlink_to(Path("..", "docs", "inner"))


def assumed_unchanged(root: Path, factor: str) -> None:
    (root / P / "means.py").write_text(F.replace(GAIN, factor))
    if factor != "1.0":
        git(root, "update-index", "--assume-unchanged", f"{P}means.py")


def skipped(root: Path, factor: str) -> None:
    (root / P / "means.py").write_text(F.replace(GAIN, factor))
    if factor != "1.0":
        git(root, "update-index", "--skip-worktree", f"{P}means.py")


def of_old_time(root: Path, factor: str) -> None:
    """The size and the time stay, so that git does not look."""
    path = root / P / "means.py"
    path.write_text(F.replace(GAIN, "1.00" if factor == "1.0" else factor))
    os.utime(path, (1_000_000_000, 1_000_000_000))


def ignored(root: Path, factor: str) -> None:
    (root / P / "build").mkdir(exist_ok=True)
    (root / P / "build" / "means.py").write_text(F.replace(GAIN, factor))


BROKEN = (
    Placement("a relative import", "from .means import f", files={f"{P}means.py": F}),
    Placement("an import inside the function", "", "from ptycho_torch.means import f", files={f"{P}means.py": F}),
    Placement(
        "a module under another name",
        "import ptycho_torch.means as means",
        returned="means.f(x)",
        files={f"{P}means.py": F},
    ),
    Placement(
        "a module from the package itself", "from . import means as m", returned="m.f(x)", files={f"{P}means.py": F}
    ),
    Placement(
        "a module by its full name",
        "import ptycho_torch.means",
        returned="ptycho_torch.means.f(x)",
        files={f"{P}means.py": F},
    ),
    Placement(
        "a subpackage, three modules away",
        "from ptycho_torch.deep.one import f",
        files={
            f"{P}deep/__init__.py": "",
            f"{P}deep/one.py": "from . import two\n\n\ndef f(x):\n    return two.f(x)\n",
            f"{P}deep/two.py": "from ..further import f\n",
            f"{P}further.py": F,
        },
    ),
    Placement("a namespace package", "from ptycho_torch.bare.means import f", files={f"{P}bare/means.py": F}),
    Placement(
        "another name in a package's own file",
        "from ptycho_torch.deep import f",
        files={f"{P}deep/__init__.py": "from .means import g as f\n", f"{P}deep/means.py": F2},
    ),
    Placement(
        "one of two branches",
        "try:\n    from ptycho_torch.quick import f\nexcept ImportError:\n    from ptycho_torch.means import f",
        files={f"{P}means.py": F},
    ),
    Placement(
        "an import by a name that is put together",
        "import importlib",
        "f = importlib.import_module('ptycho_torch.' + 'me' + 'ans').f",
        files={f"{P}means.py": F},
    ),
    Placement(
        "a module that answers for its names",
        "from ptycho_torch import lazy",
        returned="lazy.f(x)",
        files={
            f"{P}lazy.py": "def __getattr__(name):\n    import importlib\n\n"
            "    return getattr(importlib.import_module('ptycho_torch.means'), name)\n",
            f"{P}means.py": F,
        },
    ),
    Placement(
        "a dictionary of modules",
        "import sys\n\nimport ptycho_torch.means",
        returned="sys.modules['ptycho_torch.means'].f(x)",
        files={f"{P}means.py": F},
    ),
    Placement(
        "a function put in another's place at import",
        "def f(x):\n    return x",
        files={
            f"{P}patcher.py": "from ptycho_torch import means\n\n\ndef patched():\n"
            "    from ptycho_torch import losses\n\n    losses.f = means.g\n\n\npatched()\n",
            f"{P}means.py": F2,
            f"{P}__init__.py": "from ptycho_torch import patcher\n",
        },
    ),
    Placement(
        "a table that a file fills in passing",
        "from ptycho_torch.table import TABLE\nfrom ptycho_torch import means",
        returned="TABLE['f'](x)",
        files={
            f"{P}table.py": "TABLE = {}\n",
            f"{P}means.py": "from ptycho_torch.table import TABLE\n\n\n" + F2 + "\n\nTABLE['f'] = g\n",
        },
    ),
    Placement(
        "a decorator that keeps what it is given",
        "from ptycho_torch.table import TABLE\nfrom ptycho_torch import means",
        returned="TABLE['f'](x)",
        files={
            f"{P}table.py": "TABLE = {}\n\n\ndef keep(function):\n    TABLE[function.__name__] = function\n    return function\n",
            f"{P}means.py": "from ptycho_torch.table import keep\n\n\n@keep\n" + F,
        },
    ),
    Placement("a star", "from ptycho_torch.means import *", files={f"{P}means.py": F}),
    Placement(
        "a decorator from elsewhere",
        "from ptycho_torch.means import scaled\n\n\n@scaled\ndef f(x):\n    return x",
        files={
            f"{P}means.py": "import functools\n\n\ndef scaled(function):\n    @functools.wraps(function)\n"
            "    def found(x):\n        return function(x) * FACTOR\n\n    return found\n"
        },
    ),
    Placement(
        "an attribute of a class",
        "from ptycho_torch.means import Gains",
        returned="x * Gains.gain",
        files={f"{P}means.py": "class Gains:\n    gain = FACTOR\n"},
    ),
    Placement(
        "an attribute of a base class",
        "from ptycho_torch.means import Gains\n\n\nclass Own(Gains):\n    pass",
        returned="x * Own.gain",
        files={f"{P}means.py": "class Gains:\n    gain = FACTOR\n"},
    ),
    Placement(
        "a part of a function",
        "from ptycho_torch.means import f",
        files={
            f"{P}means.py": "from functools import partial\n\n\ndef g(x, gain):\n    return x * gain\n\n\nf = partial(g, gain=FACTOR)\n"
        },
    ),
    Placement(
        "a default",
        "from ptycho_torch.means import f",
        files={f"{P}means.py": "def f(x, gain=FACTOR):\n    return x * gain\n"},
    ),
    Placement(
        "a default that is a constant elsewhere",
        "from ptycho_torch.gains import GAIN\n\n\ndef f(x, gain=GAIN):\n    return x * gain",
        files={f"{P}gains.py": "GAIN = FACTOR\n"},
    ),
    Placement(
        "a variable of the environment",
        "from ptycho_torch.means import f",
        files={
            f"{P}means.py": "import os\n\n\ndef f(x):\n    return x * float(os.environ.get('NO_SUCH_GAIN', 'FACTOR'))\n"
        },
    ),
    Placement(
        "a file of an environment at the root",
        "import pathlib",
        returned="x * float((pathlib.Path(__file__).parents[1] / '.env').read_text().partition('=')[2])",
        files={".env": "GAIN=FACTOR\n"},
    ),
    Placement(
        "a number in a file that is called a document",
        "import pathlib",
        returned="x * float((pathlib.Path(__file__).parents[1] / 'docs' / 'gain.md').read_text())",
        files={"docs/gain.md": "FACTOR\n"},
    ),
    Placement(
        "a file in JSON",
        "import json\nimport pathlib\n\nGAINS = json.loads((pathlib.Path(__file__).parent / 'gains.json').read_text())",
        returned="x * GAINS['gain']",
        files={f"{P}gains.json": '{"gain": FACTOR}\n'},
    ),
    Placement(
        "an array in a text, read by NumPy",
        "import numpy as np\n\nimport ptycho_torch",
        returned="x * float(np.loadtxt(ptycho_torch.__path__[0] + '/gains.txt'))",
        files={f"{P}gains.txt": "FACTOR\n"},
    ),
    Placement(
        "a pickled number",
        "import pathlib\nimport pickle",
        returned="x * pickle.loads((pathlib.Path(__file__).parent / 'gain.pkl').read_bytes())",
        make=pickled,
    ),
    Placement(
        "an archive that is imported from",
        "import os\nimport zipimport",
        "f = zipimport.zipimporter(os.path.join(os.path.dirname(__file__), 'means.zip')).load_module('means').f",
        make=zipped,
    ),
    Placement("compiled code without a source", "from ptycho_torch.means import f", make=compiled),
    Placement(
        "text that is executed",
        "import pathlib\n\nexec((pathlib.Path(__file__).parent / 'means.txt').read_text())",
        files={f"{P}means.txt": F},
    ),
    Placement(
        "a finder of modules",
        "import ptycho_torch.finder\nfrom ptycho_torch_virtual import f",
        files={
            f"{P}finder.py": "import importlib.abc\nimport importlib.util\nimport pathlib\nimport sys\n\n\n"
            "class Finder(importlib.abc.MetaPathFinder):\n    def find_spec(self, name, path=None, target=None):\n"
            "        if name != 'ptycho_torch_virtual':\n            return None\n"
            "        return importlib.util.spec_from_file_location(name, pathlib.Path(__file__).with_name('virtual.py'))\n\n\n"
            "sys.meta_path.insert(0, Finder())\n",
            f"{P}virtual.py": F,
        },
    ),
    Placement(
        "a folder put on the path",
        "import pathlib\nimport sys\n\nsys.path.append(str(pathlib.Path(__file__).parents[1] / 'benchmarks'))\nfrom gains_of_ours import f",
        files={"benchmarks/gains_of_ours.py": F},
    ),
    Placement("a package of tests", "from tests.means import f", files={"tests/means.py": F}),
    Placement(
        "a package beside the stacks",
        "from neutral.means import f",
        files={"neutral/__init__.py": "", "neutral/means.py": F},
    ),
    Placement("the neutral package", "from ptycho_exposures.means import f", files={"ptycho_exposures/means.py": F}),
    Placement(
        "a class that joins a list when it is defined",
        "from ptycho_torch import means\nfrom ptycho_torch.kinds import Kind",
        returned="Kind.KINDS[-1]().f(x)",
        files={
            f"{P}kinds.py": "class Kind:\n    KINDS = []\n\n    def __init_subclass__(cls):\n        Kind.KINDS.append(cls)\n",
            f"{P}means.py": "from ptycho_torch.kinds import Kind\n\n\nclass Own(Kind):\n    def f(self, x):\n        return x * FACTOR\n",
        },
    ),
    Placement(
        "one of several functions by the type of the argument",
        "from ptycho_torch.means import f",
        files={
            f"{P}means.py": "import functools\n\nimport torch\n\n\n@functools.singledispatch\ndef f(x):\n    return x\n\n\n"
            "@f.register(torch.Tensor)\ndef _(x):\n    return x * FACTOR\n"
        },
    ),
    Placement("a submodule", "from ptycho_torch.inner.means import f", make=submodule),
    Placement("a symbolic link", "from ptycho_torch.means import f", make=linked),
    Placement("a folder that is a symbolic link", "from ptycho_torch.inner.means import f", make=linked_folder),
    Placement("a file that git assumes unchanged", "from ptycho_torch.means import f", make=assumed_unchanged),
    Placement("a file that git skips", "from ptycho_torch.means import f", make=skipped),
    Placement("a file of an old time", "from ptycho_torch.means import f", make=of_old_time),
    Placement("a file that git ignores", "from ptycho_torch.build.means import f", make=ignored),
)
