"""What would explain a failure: explanations as data, tried in order of simplicity on a few failing cases."""

from __future__ import annotations

from parity.faults.diagnosis.diagnosis import Diagnosis, diagnose, diagnose_example, diagnoses

__all__ = ["Diagnosis", "diagnose", "diagnose_example", "diagnoses"]
