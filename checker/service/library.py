"""What the service knows at one time: the counter on rules and knowledge, and look-ups in the same knowledge. Replaced whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import connect_locked
from checker.ingest.provincial import read_provincial
from checker.knowledge.edition import load_into
from checker.knowledge.point_words import LIMIT_COLUMNS, PointWords, limits_of
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan, read_crosswalks
from checker.knowledge.search import search_in
from checker.model.china_time import china_today
from checker.precheck.counter import Precheck
from checker.rulebook.plan import LEVEL_RANK, RulePlan
from checker.service.settings import Settings
from checker.shapes import BY_ID

if TYPE_CHECKING:
    import duckdb

_MEMORY = "200MB"
_LEDGER = f"""
SELECT p.point_id, p.item_name, p.rule_id, p.level_cap, p.valid_from, p.valid_to, p.published_codes, p.document, p.batch, p.source_rows,
  (SELECT string_agg(code, '; ' ORDER BY match, code) FROM kb_pattern t WHERE t.point_id = p.point_id AND role = 'item') AS codes,
  {", ".join(f"p.{column}" for column in LIMIT_COLUMNS)}
FROM kb_point p
WHERE p.status <> 'shadow' AND p.valid_from <= $day AND (p.valid_to IS NULL OR $day < p.valid_to) AND codes IS NOT NULL
ORDER BY p.rule_id, p.item_name, p.point_id"""
_LEDGER_HEAD = 11


class Library:
    """One edition of rules and knowledge, opened and ready. `precheck` belongs to the thread that judges, look-ups have a lock."""

    def __init__(self, precheck: Precheck, lookups: duckdb.DuckDBPyConnection, published: str, name: str) -> None:
        self.precheck = precheck
        self.name = name
        self.published = published
        self._lookups = lookups
        self._lock = threading.Lock()
        # As the records of the audit log say it.
        self.stamp: dict[str, Any] = {
            "kb": precheck.version,
            "kb_hash": precheck.hash[:16],
            "rules": precheck.plan.hash[:16],
        }
        self.rules = {rule.id: rule for rule in precheck.plan.rules if rule.absent is None}
        judged = {rule.id: BY_ID[rule.shape].judges for rule in self.rules.values()}
        self.judges = {rule_id: what for rule_id, what in judged.items() if what}
        """What rules judge that judge no person."""

    @classmethod
    def open(cls, settings: Settings) -> Library:
        """Open and warm everything. Raises KnowledgeError or RuleError where something does not load, InputError for a profile that cannot be used."""
        provincial = read_provincial(settings.profile)
        editions = open_editions(settings.kb, read_crosswalks(settings.crosswalk))
        plan = open_plan(settings.rules, only_rules=settings.only_rules)
        files = knowledge_files(editions)
        precheck = Precheck(
            connect_locked(readable=files, memory=_MEMORY, few=True), editions, plan,
            language="zh", region=settings.region, as_of=None, provincial=provincial,
        )  # fmt: skip
        lookups = connect_locked(readable=files, threads=1, memory=_MEMORY)
        load_into(lookups, editions)
        precheck.prepare()
        # A layer without points of its own does not make the knowledge younger.
        published = next(str(each.manifest.published) for each in reversed(editions) if each.points)
        return cls(precheck, lookups, published, "+".join(e.name for e in editions))

    def close(self) -> None:
        """Let go of the connection that judges. Look-ups under way still end; the last of them lets go of theirs."""
        self.precheck.connection.close()

    def search(self, text: str, *, limit: int, language: str) -> dict[str, Any]:
        """The items that a text finds. Raises InputError for a text without letter or digit."""
        with self._lock:
            found = search_in(self._lookups, text, limit=limit, day=china_today())
        words = PointWords(language)
        items = [
            {
                "item_name": hit.item_name, "rule_id": hit.rule_id, "rule_name": self._rule_name(hit.rule_id, language),
                "point_id": hit.point_id, "how": hit.how, "in_force": hit.in_force, "valid_from": hit.valid_from.isoformat(),
                "valid_to": hit.valid_to.isoformat() if hit.valid_to else None, "limit": words.limit(hit.limits),
                "level_cap": hit.level_cap, "published_codes": hit.published_codes,
            }
            for hit in found.hits
        ]  # fmt: skip
        return {"q": text, "total": found.items, "items": items, "nearest": list(found.nearest)}

    def ledger(self, language: str) -> list[dict[str, Any]]:
        """Every point in force today, with the level that it gives."""
        today = china_today()
        with self._lock:
            rows = self._lookups.execute(_LEDGER, {"day": today}).fetchall()
        words = PointWords(language)
        points = []
        for row in rows:
            point_id, name, rule_id, cap, valid_from, valid_to, published, document, batch, source_rows, codes = row[
                :_LEDGER_HEAD
            ]
            rule = self.rules.get(rule_id)
            if rule is None:
                continue
            limits = limits_of(row[_LEDGER_HEAD:])
            points.append({
                "point_id": point_id, "item_name": name, "rule_id": rule_id, "rule_name": rule.name(language),
                "level": min((rule.level, cap or rule.level), key=LEVEL_RANK.__getitem__), "limit": words.limit(limits),
                "subject": words.subject(limits), "valid_from": valid_from.isoformat(),
                "valid_to": valid_to.isoformat() if valid_to else None, "codes": codes or "", "published_codes": published,
                "document": document, "batch": batch, "source_rows": source_rows,
            })  # fmt: skip
        return points

    def rule(self, rule: RulePlan) -> dict[str, Any]:
        """A rule as it is told: all but its SQL."""
        return {
            "id": rule.id, "rule_code": rule.code, "name": rule.name_zh, "name_en": rule.name_en, "level": rule.level,
            "version": rule.version, "stages": list(rule.stages), "reads_sex": "sex" in rule.reads, "reads_age": "age" in rule.reads,
            "message": rule.messages_zh[0], "message_en": rule.messages_en[0], "advice": rule.messages_zh[2],
            "advice_en": rule.messages_en[2],
        }  # fmt: skip

    def knowledge(self) -> dict[str, Any]:
        """Which knowledge and rules these are."""
        with self._lock:
            row = self._lookups.execute("SELECT count(*) FROM kb_point").fetchone()
        return {
            "version": self.precheck.version, "hash": self.precheck.hash, "name": self.name, "published": self.published,
            "points": int(row[0]) if row else 0, "rules": {"hash": self.precheck.plan.hash, "count": len(self.rules)},
        }  # fmt: skip

    def _rule_name(self, rule_id: str, language: str) -> str:
        rule = self.rules.get(rule_id)
        return rule.name(language) if rule else rule_id
