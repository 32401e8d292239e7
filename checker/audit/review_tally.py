"""What became of the findings of a run: how many are decided and how, how often they were right, and which points mostly were not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import polars as pl

from checker.audit.decisions import read_decisions
from checker.audit.review_findings import violations, with_decisions
from checker.audit.run_folder import RunFolder
from checker.knowledge.codes import is_code
from checker.knowledge.exemption_text import exemption_text
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow
from checker.model.wilson import interval, lower_bound

GROUPS = {
    "rule": ("rule_id", "rule_name"),
    "point": ("point_id", "item_name"),
    "institution": ("institution_id", "institution_name"),
}
"""By what is told: the column, and the one that names it."""
FEWEST_DECISIONS = 10
MOSTLY = 0.5
"""An exemption is proposed where the lower bound of the refuted share is above this, of so many decisions at least."""
_LINE = ("source_file", "source_record")
"""A line that two rules hit counts its money once."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Findings and what was decided. `upheld` is what is at stake in those confirmed or refunded, in yuan; `no_amount` of their lines do not tell it."""

    found: int
    confirmed: int
    refuted: int
    refunded: int
    upheld: Decimal
    no_amount: int
    given_back: Decimal

    @property
    def decided(self) -> int:
        """Findings with a decision."""
        return self.confirmed + self.refuted + self.refunded

    @property
    def undecided(self) -> int:
        """Findings without one."""
        return self.found - self.decided

    @property
    def precision(self) -> float | None:
        """The share of the decided findings that were right [查准率]: confirmed or refunded."""
        return (self.confirmed + self.refunded) / self.decided if self.decided else None

    @property
    def precision_interval(self) -> tuple[float, float] | None:
        """Its 95 % Wilson interval."""
        return interval(self.confirmed + self.refunded, self.decided)


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one rule, point or institution, by its key and its name."""

    key: str | None
    name: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Proposal:
    """A point that was mostly refuted, at how many institutions, and the exemption to be discussed, as text of exemption.toml."""

    point_id: str
    rule_id: str
    decided: int
    refuted: int
    refuted_low: float
    institutions: int
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """What became of a run. `gone` decisions are about findings that the run no longer has."""

    by: str
    total: Tally
    groups: tuple[Group, ...]
    gone: int
    proposals: tuple[Proposal, ...]


def review(run: RunFolder, by: str) -> Review:
    """Count what was decided about the violations of a run, by one of GROUPS. Raises InputError where the decisions cannot be read."""
    decisions = read_decisions(run.folder)
    findings = with_decisions(violations(run), decisions)
    key, name = GROUPS[by]
    named = findings.with_columns(key=pl.col(key), name=pl.col(name), all=pl.lit(None, dtype=pl.String))
    groups = _tallies(named, "key")
    names = dict(named.group_by("key").agg(pl.col("name").min()).iter_rows())
    ordered = sorted(groups.items(), key=lambda each: (-each[1].found, each[0] or ""))
    known = set(findings["finding_id"])
    return Review(
        by=by,
        total=_tallies(named, "all").get(None, Tally(0, 0, 0, 0, Decimal(0), 0, Decimal(0))),
        groups=tuple(Group(each, names[each], tally) for each, tally in ordered),
        gone=sum(finding not in known for finding in decisions),
        proposals=tuple(_proposals(findings)),
    )


def _tallies(findings: pl.DataFrame, key: str) -> dict[str | None, Tally]:
    decided = [(pl.col("decision") == word).sum().alias(word) for word in ("confirmed", "refuted", "refunded")]
    counts = findings.group_by(key).agg(pl.len().alias("found"), *decided)
    lines = (
        findings.filter(pl.col("decision").is_in(["confirmed", "refunded"]))
        .group_by(key, *_LINE)
        .agg(pl.col("amount_at_stake").max(), pl.col("refunded").max().alias("given_back"))
        .group_by(key)
        .agg(
            pl.col("amount_at_stake").sum().alias("upheld"),
            pl.col("amount_at_stake").null_count().alias("no_amount"),
            pl.col("given_back").sum(),
        )
    )
    rows = counts.join(lines, on=key, how="left", nulls_equal=True)
    return {
        row[key]: Tally(
            row["found"], row["confirmed"], row["refuted"], row["refunded"],
            row["upheld"] or Decimal(0), row["no_amount"] or 0, row["given_back"] or Decimal(0),
        )
        for row in rows.iter_rows(named=True)
    }  # fmt: skip


def _proposals(findings: pl.DataFrame) -> Iterable[Proposal]:
    decided = findings.filter(pl.col("decision").is_not_null() & pl.col("point_id").is_not_null())
    for (rule, point), rows in sorted(decided.partition_by("rule_id", "point_id", as_dict=True).items()):
        wrong = rows.filter(pl.col("decision") == "refuted")
        low = lower_bound(wrong.height, rows.height)
        if rows.height >= FEWEST_DECISIONS and low is not None and low > MOSTLY:
            text = _exemption(rule, point, wrong, rows.height, low)
            yield Proposal(point, rule, rows.height, wrong.height, low, wrong["institution_id"].n_unique(), text)


def _exemption(rule: str, point: str, wrong: pl.DataFrame, decided: int, low: float) -> str:
    """The exemption that reviewers may make of it. Ours may only lower a level; it begins after the days that were looked at."""
    first, last = wrong["service_time"].min().date(), wrong["service_time"].max().date()  # type: ignore[union-attr]
    exemption = f"{point}-review"
    return exemption_text(
        [
            ExemptionRow(
                exemption_id=exemption,
                rule_id=rule,
                effect="lower",
                reason=f"审核 {decided} 个疑点，{wrong.height} 个不属实，拟降一级；请在此写明临床理由",
                reason_en=f"Of {decided} findings reviewed {wrong.height} were refuted: one level lower is proposed; state the clinical reason here",
                evidence=f"审核结论：服务日期 {first} 至 {last}，不属实比例 95 % 区间下限 {low:.1%}",
                status="proposed",
                diagnoses=None,
                region=None,
                region_of=None,
                valid_from=last + timedelta(days=1),
                valid_to=None,
            )
        ],
        [ExemptionItemRow(exemption, *item) for item in _items(wrong)],
    )


def _items(wrong: pl.DataFrame) -> list[tuple[str, str]]:
    """What was charged: by national codes, and by name where a local code was recognised by that."""
    found = wrong.select("item_code", "item_name", "matched_by").unique()
    return sorted(
        ("name", name) if by == "name" or not is_code(code) else ("code", code) for code, name, by in found.iter_rows()
    )
