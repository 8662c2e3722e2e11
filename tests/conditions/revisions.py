"""Git, and what it holds."""

from tests.conditions.condition import Done, Place, condition


@condition("the base is no commit", code=2, says="expected a commit, a branch or a tag, got 'no-such-branch'")
def base_unknown(place: Place) -> Done:
    stranger = place.stranger()
    return place.parity("check", "--base", "no-such-branch", cwd=stranger.root)
