"""What became of the cases of rules, kept for the whole run: documents and tests prove the same rules again and again, and each proof takes ten seconds."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from unittest import mock

from checker.proof.case_rows import CaseRows
from checker.proof.case_scan import Bench, Fate


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """While it lasts, cases that were judged by equal rules are not judged again: their fates lie in a folder, which other workers read too."""
    judge = Bench.judge
    folder.mkdir(exist_ok=True)

    def judged(bench: Bench, cases: Sequence[CaseRows]) -> dict[str, Fate]:
        file = folder / hashlib.sha256(_named(bench, cases).encode()).hexdigest()
        if file.exists():
            found: dict[str, Fate] = pickle.loads(file.read_bytes())
            return found
        found = judge(bench, cases)
        written = file.with_suffix(f".{os.getpid()}")
        written.write_bytes(pickle.dumps(found))
        written.replace(file)
        return found

    with mock.patch.object(Bench, "judge", judged):
        yield


def _named(bench: Bench, cases: Sequence[CaseRows]) -> str:
    """All that goes into the scans of cases: the plan that judges, and of each case all but its rule, which the plan has."""
    told = [field.name for field in fields(CaseRows) if field.name != "rule"]
    return repr((bench._plan, [(case.rule.id, *(getattr(case, name) for name in told)) for case in cases]))
