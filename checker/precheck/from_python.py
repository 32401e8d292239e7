"""`checker.open_counter` and `checker.check`: the counter as functions of Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, overload

from checker.ingest.prescription import STAGES
from checker.knowledge.resolve import read_crosswalks
from checker.model.arguments import Paths, day, one_of, path, paths, text
from checker.model.china_time import china_now
from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.precheck.documents import check_each, check_one

Stage = Literal["prescribe", "dispense", "settle"]
_SOURCE = "处方"


class Counter:
    """Rules and knowledge, loaded once, that answer one prescription after another; `open_counter` makes it. One thread at a time may ask it."""

    def __init__(self, precheck: Precheck) -> None:
        self._precheck = precheck

    @overload
    def check(self, prescription: Mapping[str, Any], *, stage: Stage = "dispense") -> dict[str, Any]: ...
    @overload
    def check(
        self, prescription: Sequence[Mapping[str, Any]], *, stage: Stage = "dispense"
    ) -> list[dict[str, Any]]: ...
    def check(
        self, prescription: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, stage: Stage = "dispense"
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Answer a prescription, the JSON of `liangku check` (docs/inputs.md) as a dict, with what `liangku check --json` prints.

        Of a list each is answered in its place; one that cannot be read has `error` instead, and the others are answered. `stage` holds
        where a prescription does not say it. Raises InputError where a single one cannot be read, or the list is empty.
        """
        one_of("stage", stage, STAGES)
        now = china_now()
        if not isinstance(prescription, list | tuple):
            return dict(check_one(self._precheck, prescription, source=_SOURCE, stage=stage, now=now).answer)
        if not prescription:
            raise InputError("列表是空的，请给出至少一张处方（the list holds no prescription）")
        checked = check_each(self._precheck, prescription, source=_SOURCE, stage=stage, now=now)
        return [dict(each.answer) for each in checked]

    def close(self) -> None:
        """Let go of the engine."""
        self._precheck.connection.close()

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_counter(
    *, kb: Paths = (), crosswalk: Paths = (), rules: Paths = (), only_rules: bool = False, region: str | None = None, as_of: date | None = None,
    profile: str | Path | None = None, repair: bool = False, language: Literal["zh", "en"] = "zh",
) -> Counter:  # fmt: skip
    """Open a counter that answers many prescriptions: what questions would wait for is made ready. The arguments are the options of `liangku check`.

    Use it as a context manager, or close it. Raises KnowledgeError or RuleError where knowledge or rules do not load, InputError for a
    profile or crosswalk that cannot be used.
    """
    precheck = _opened(kb, crosswalk, rules, only_rules, region, as_of, profile, repair, language, often=True)
    precheck.prepare()
    return Counter(precheck)


@overload
def check(
    prescription: Mapping[str, Any], *, stage: Stage = "dispense", kb: Paths = (), crosswalk: Paths = (), rules: Paths = (),
    only_rules: bool = False, region: str | None = None, as_of: date | None = None, profile: str | Path | None = None, repair: bool = False,
    language: Literal["zh", "en"] = "zh",
) -> dict[str, Any]: ...  # fmt: skip
@overload
def check(
    prescription: Sequence[Mapping[str, Any]], *, stage: Stage = "dispense", kb: Paths = (), crosswalk: Paths = (), rules: Paths = (),
    only_rules: bool = False, region: str | None = None, as_of: date | None = None, profile: str | Path | None = None, repair: bool = False,
    language: Literal["zh", "en"] = "zh",
) -> list[dict[str, Any]]: ...  # fmt: skip
def check(
    prescription: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, stage: Stage = "dispense", kb: Paths = (), crosswalk: Paths = (),
    rules: Paths = (), only_rules: bool = False, region: str | None = None, as_of: date | None = None, profile: str | Path | None = None,
    repair: bool = False, language: Literal["zh", "en"] = "zh",
) -> dict[str, Any] | list[dict[str, Any]]:  # fmt: skip
    """Answer once, as `Counter.check` does: who asks often opens a counter."""
    with Counter(_opened(kb, crosswalk, rules, only_rules, region, as_of, profile, repair, language)) as counter:
        return counter.check(prescription, stage=stage)


def _opened(
    kb: Paths, crosswalk: Paths, rules: Paths, only_rules: bool, region: str | None, as_of: date | None, profile: str | Path | None,
    repair: bool, language: str, *, often: bool = False,
) -> Precheck:  # fmt: skip
    return Precheck.open(
        kb=paths(kb), crosswalk=read_crosswalks(paths(crosswalk)), rules=paths(rules), only_rules=only_rules,
        language=one_of("language", language, ("zh", "en")),
        region=text("region", region), as_of=day(as_of), repair=repair,
        profile=path(profile), often=often,
    )  # fmt: skip
