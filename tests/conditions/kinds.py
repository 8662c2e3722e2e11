"""The kinds of conditions, in the order of their table; each is a module with the sentence that it begins with."""

import importlib

KINDS = ("streams", "surroundings", "options", "files", "stacks", "touched", "revisions", "judged")


def load_all() -> dict[str, str]:
    """Have every kind declare its conditions; gives what each kind is, from its module's docstring."""
    modules = {kind: importlib.import_module(f"tests.conditions.{kind}") for kind in KINDS}
    return {kind: (module.__doc__ or "").strip() for kind, module in modules.items()}
