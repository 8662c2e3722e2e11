"""Which names of Python, and of packages of others, may lead to anything: to a file, or to a name in a string."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN_MODULES = _words(
    """__future__ abc cmath collections contextlib dataclasses decimal difflib enum errno fractions functools itertools
    lzma math numbers re statistics string struct textwrap typing warnings zlib"""
)
"""Modules of Python that neither read nor look up anything for those who call them."""

_PLAIN_PARTS = _words(
    "os.PathLike types.MappingProxyType tokenize.TokenError zipfile.BadZipFile zipfile.ZIP_STORED zipfile.ZipInfo"
)
"""What of its other modules does not."""

_FRAMEWORKS = _words("keras lightning neuralop numpy scipy skimage tensorflow torch")
"""Packages of others that reach nothing of a repository, unless an attribute says so."""

_READING = _words(
    """load loads loadtxt genfromtxt fromfile memmap mmap open read reader file files path paths import imports exec
    loader resource io gfile hub library ctypeslib package extension record csv text os sys builtins importlib ctypes
    subprocess pickle json inspect environ stdin source zip"""
)
"""Words in the name of such an attribute."""

_PLAIN_ATTRIBUTES = _words(
    """__init__ __name__ __qualname__ __call__ __len__ __getitem__ __getitems__ __post_init__ __version__ __enter__
    __exit__ __iter__ __all__ __eq__ __hash__ __repr__ __str__"""
)
"""Attributes between underscores that lead nowhere else."""

_LOOKING_UP = _words("open exec eval compile __import__ globals locals vars setattr delattr input breakpoint dir")
"""Functions of Python that read, or look up a name."""

_PLAIN_NAMES = frozenset(dir(builtins)) - _LOOKING_UP - _words("__doc__ __loader__ __package__ __spec__") | {"__name__"}

_PLAIN_DECORATORS = _words(
    """property staticmethod classmethod dataclass cache lru_cache cached_property wraps contextmanager abstractmethod
    override overload once_differentiable custom_gradient function no_grad register_keras_serializable"""
)
"""Decorators that tell nobody what they are given, by the last part of their names."""

_PURE = _words("frozenset tuple dict set list float int complex str range MappingProxyType re.compile")


def is_plain_name(name: str) -> bool:
    """Whether Python has a name, and it leads nowhere."""
    return name in _PLAIN_NAMES


def is_plain_attribute(name: str) -> bool:
    """Whether the name of an attribute says neither that something is read nor that it is looked up."""
    if name.startswith("__") and name.endswith("__"):
        return name in _PLAIN_ATTRIBUTES
    return not any(word.lower() in _READING for word in re.findall(r"[A-Z]*[a-z0-9]+|[A-Z]+", name))


def is_plain_elsewhere(parts: Sequence[str]) -> bool:
    """Whether `numpy.linalg.norm`, say, leads nowhere; a module that is passed on may be asked for anything."""
    if ".".join(parts) in _PLAIN_PARTS:
        return True
    return len(parts) > 1 and parts[0] in _PLAIN_MODULES | _FRAMEWORKS and all(map(is_plain_attribute, parts[1:]))


def is_plain_import(module: str) -> bool:
    """Whether importing a module of others runs nothing of a repository."""
    return module in sys.stdlib_module_names | _FRAMEWORKS


def tells_nobody(decorator: str) -> bool:
    """Whether a decorator of others keeps what it is given to itself."""
    return decorator.rpartition(".")[2] in _PLAIN_DECORATORS


def is_pure(function: str) -> bool:
    """Whether a function is known to return a value, and to do nothing else."""
    return function in _PURE or function.startswith("math.")
