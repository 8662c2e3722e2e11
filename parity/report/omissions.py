"""What stacks were not asked, in sentences: who can hide a defect there is told where to look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parity.judging.omission import Omission, Omitted
from parity.judging.run import ContractRun
from parity.report.terminal import counted

MOST_NAMES = 5
"""Of contracts that are not bound; the rest is counted."""

MOST_REASONS = 3
"""Of why a stack does not claim to do something; the rest is counted."""


def terms_lines(run: ContractRun) -> tuple[str, ...]:
    """A sentence for each stack that is held in terms of its own: the conventions that its binding states."""
    stated = [o for o in run.omissions if o.omitted is Omitted.IN_OWN_TERMS and o.why]
    return tuple(f"{o.contract}: {o.quantity or o.stack}: {o.why}" for o in stated)


def omitted_lines(run: ContractRun) -> tuple[str, ...]:
    """A sentence for each stack and each way in which something of a contract was not asked of it."""
    stacks = dict.fromkeys(omission.stack for omission in run.omissions)
    return tuple(
        f"{run.verdict.contract}: {said}"
        for stack in stacks
        for said in _of_stack(run, stack, [o for o in run.omissions if o.stack == stack])
    )


def unbound_line(names: Sequence[str]) -> str:
    """That nothing was asked of these contracts; the report and the results name all of them."""
    some = f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more, which `parity bindings list` names"
    return f"not bound: {some if len(names) > MOST_NAMES + 1 else ', '.join(names)}"


def _of_stack(run: ContractRun, stack: str, omissions: Sequence[Omission]) -> Iterator[str]:
    if any(omission.omitted is Omitted.NOT_BOUND for omission in omissions):
        yield f"not bound by {stack}"
    outside = [o for o in omissions if o.omitted is Omitted.OUTSIDE and not o.quantity]
    if outside:
        yield _outside(run, stack, outside)
    laws = {o.quantity for o in omissions if o.omitted is Omitted.OUTSIDE and o.quantity}
    if laws:
        yield f"laws that lead {stack} to where it claims nothing, and are not tried there: {'; '.join(sorted(laws))}"
    laws = {o.quantity for o in omissions if o.omitted is Omitted.IN_OWN_TERMS and not o.why}
    if laws:
        yield f"laws in the terms of the contract, of {stack}: {'; '.join(sorted(laws))}"
    for quantity in dict.fromkeys(o.quantity for o in omissions if o.omitted is Omitted.NOT_JUDGED):
        found = [o for o in omissions if o.omitted is Omitted.NOT_JUDGED and o.quantity == quantity]
        left, every = (sum(int(o.why.split(" of ")[place]) for o in found) for place in (0, 1))
        cases = counted(len({o.case for o in found}), "example")
        yield f"{left:,} of {every:,} elements of {quantity} of {stack}, in {cases}"
    gradients = dict.fromkeys(o.quantity for o in omissions if o.omitted is Omitted.NO_GRADIENT)
    if gradients:
        yield f"no gradient is asked of {stack}: {', '.join(gradients)}"


def _outside(run: ContractRun, stack: str, outside: Sequence[Omission]) -> str:
    """How many examples were asked, in which strata none was, and what the bindings say of it."""
    asked = {m.case for m in run.measurements if m.stack == stack}
    left = dict.fromkeys(o.case for o in outside if o.case not in asked)
    never = dict.fromkeys(case.partition("/")[0] for case in left)
    for case in asked:
        never.pop(case.partition("/")[0], None)
    reasons = list(dict.fromkeys(o.why for o in outside if o.why))
    more = f"; and {counted(len(reasons) - MOST_REASONS, 'other reason')}" if len(reasons) > MOST_REASONS else ""
    why = f": {'; '.join(reasons[:MOST_REASONS])}{more}" if reasons else ""
    where = f", and none in {', '.join(never)}" if never else ""
    return f"{stack} was asked {len(asked)} of {counted(len(asked) + len(left), 'example')}{where}{why}"
