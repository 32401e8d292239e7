"""What the shape `evidence` needs beside its candidates; scan and counter both bring it."""

from __future__ import annotations

from collections.abc import Mapping

DIAGNOSED: Mapping[str, str] = {"key": "VARCHAR", "code": "VARCHAR", "day": "DATE"}
"""One row for each code of a diagnosis (checker.ingest.diagnosis_codes) that speaks of a line.

`key` is 'v' and the visit's key, 's' and the settlement's, 'l' and the number of the line that tells it itself, or 'p' and the patient's key for
what was diagnosed on a `day`, in this visit or another; of the others `day` is NULL.
"""
CLASS_USE: Mapping[str, str] = {"patient": "VARCHAR", "drug_class": "VARCHAR", "generic": "VARCHAR", "day": "DATE"}
"""One row for each day on which a patient had a drug of a class (as points write it), by its generic; whoever paid, as netting leaves the lines."""
RELATIONS: Mapping[str, Mapping[str, str]] = {"diagnosed": DIAGNOSED, "class_use": CLASS_USE}
