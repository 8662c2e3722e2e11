"""Divergences: differences between a stack and the oracle that are accepted, for a reason, until a date.

A divergence is no tolerance. Its kind says what the difference is as mathematics; that is taken off, and what is left
is judged by the bound that it would have had, and by the rounding of what was taken off. How large it was is measured
in every example, and must lie in a declared interval; an entry that never shows fails the run, as does one that has
expired.

`base.py` has the words; `terms.py`, `factors.py`, `formulas.py`, `gauge.py`, `subdomain.py` and `inexact.py` the kinds;
`declared.py` reads the entries of a repository, and `registry.py` has them; `removal.py` takes off what an entry
accepts; `faults.py` says what is wrong with entries.
"""

from __future__ import annotations

from parity.judging.divergences.base import Difference, Divergence
from parity.judging.divergences.factors import PositiveFactor, Reduction
from parity.judging.divergences.formulas import AnotherFormula, OwnRule
from parity.judging.divergences.gauge import Gauge
from parity.judging.divergences.inexact import InexactArgument
from parity.judging.divergences.subdomain import SubDomain
from parity.judging.divergences.terms import ConstantTerm, KnownTerm

__all__ = [
    "AnotherFormula",
    "ConstantTerm",
    "Difference",
    "Divergence",
    "Gauge",
    "InexactArgument",
    "KnownTerm",
    "OwnRule",
    "PositiveFactor",
    "Reduction",
    "SubDomain",
]
