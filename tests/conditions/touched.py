"""What a change touches, and what nothing depends on."""

from tests.conditions.condition import Done, Place, condition


@condition(
    "documents and a test have changed, and the stacks read none",
    code=0,
    says="nothing that a contract depends on has changed: no import or name leads there",
)
def nothing_leads_there(place: Place) -> Done:
    clone = place.checkout()
    (clone.root / "docs" / "new.md").write_text("# New\n")
    clone.edit("tests/clones.py", '"""', '"""So: ')
    return place.parity("check", "--base", "main", cwd=clone.root, root=clone.root)


@condition(
    "a file of a stack is no Python, and was assumed unchanged", code=1, says="ptycho_torch/losses.py is no Python"
)
def assumed_unchanged(place: Place) -> Done:
    clone = place.checkout()
    clone.git("update-index", "--assume-unchanged", "ptycho_torch/losses.py")
    clone.edit("ptycho_torch/losses.py", "def mae(", "def mae((")
    return place.parity("check", "--base", "main", cwd=clone.root, root=clone.root)
