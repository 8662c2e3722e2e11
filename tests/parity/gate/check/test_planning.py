from parity.contracts.cases.profiles import PROFILES
from parity.contracts.declared import REGISTRY
from parity.gate.check.planning import EXAMPLES, plan_of
from parity.gate.impact import Impact, Reason

CHANGED = (Reason("mae", "ptycho/losses.py", 75),)


def plan(**impact):
    return {one.contract: one for one in plan_of(Impact(**impact), REGISTRY)}


def test_nothing_is_asked_where_nothing_is_touched():
    assert plan() == {}
    assert plan(aside={"README.md": "documentation"}) == {}


def test_what_is_touched_is_drawn_and_what_uses_it_is_asked_on_its_strata():
    asked = plan(touched={"losses.mae": CHANGED}, using={"losses.training_loss": CHANGED})
    assert {name: one.examples for name, one in asked.items()} == {"losses.mae": EXAMPLES, "losses.training_loss": 0}
    assert [one.touched for one in asked.values()] == [True, False]


def test_a_contract_that_is_touched_has_a_hundred_examples():
    assert REGISTRY["losses.mae"].drawn(plan(touched={"losses.mae": CHANGED})["losses.mae"].examples) >= 100


def test_where_many_are_touched_each_is_drawn_as_in_ci():
    touched = dict.fromkeys(list(REGISTRY)[:9], CHANGED)
    assert {one.examples for one in plan(touched=touched).values()} == {PROFILES["ci"].examples}


def test_where_everything_may_be_touched_every_contract_is_asked():
    asked = plan(everything=CHANGED)
    assert list(asked) == list(REGISTRY)
    assert {one.examples for one in asked.values()} == {PROFILES["ci"].examples}


def test_the_reason_is_said_once_in_words():
    (one,) = plan(touched={"losses.mae": CHANGED * 3}).values()
    assert one.why == "mae changed in ptycho/losses.py, line 75"
