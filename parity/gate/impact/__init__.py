"""What a change touches: from the files that differ to the contracts that can tell, each with the reason."""

from parity.gate.impact.abroad import impact_abroad
from parity.gate.impact.changes import BaseUnknown, Change, Changes, changes_since
from parity.gate.impact.mapping import Impact, Reason, impact_of

__all__ = ["BaseUnknown", "Change", "Changes", "Impact", "Reason", "changes_since", "impact_abroad", "impact_of"]
