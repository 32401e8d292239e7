"""The tables of a knowledge base: the Parquet file, the DuckDB table, the sort key and the SQL of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnowledgeTable:
    """One table: its Parquet file, the DuckDB table it becomes, its sort key and its literal SQL.

    `load` binds the path of the Parquet file.
    """

    name: str
    kb_table: str
    key: str
    create: str
    load: str

    @property
    def file(self) -> str:
        """The name of the Parquet file."""
        return f"{self.name}.parquet"


_EVER = """point_id, rule_id, item_name, sex, age_word, age_text, age_min, age_min_unit, age_max, age_max_unit, subject, region, region_of,
    valid_from, valid_to, level_cap, remark, document, batch, published_codes, source_rows, status, superseded_by"""
POINT = KnowledgeTable(
    "point",
    "kb_point",
    "point_id",
    """CREATE TABLE kb_point (
        point_id VARCHAR, rule_id VARCHAR, item_name VARCHAR, sex VARCHAR, age_word VARCHAR, age_text VARCHAR,
        age_min INTEGER, age_min_unit VARCHAR, age_max INTEGER, age_max_unit VARCHAR, subject VARCHAR, region VARCHAR,
        region_of VARCHAR, valid_from DATE, valid_to DATE, level_cap VARCHAR, remark VARCHAR, document VARCHAR,
        batch VARCHAR, published_codes INTEGER, source_rows VARCHAR, status VARCHAR, superseded_by VARCHAR, companions VARCHAR)""",
    # By name, so that an older edition, which lacks later columns, is read as well; what every edition has must be there.
    f"INSERT INTO kb_point BY NAME SELECT {_EVER}, * EXCLUDE ({_EVER}) FROM read_parquet(?)",
)
PATTERN = KnowledgeTable(
    "pattern",
    "kb_pattern",
    "point_id, role, match, code",
    "CREATE TABLE kb_pattern (point_id VARCHAR, role VARCHAR, match VARCHAR, code VARCHAR, published_codes INTEGER)",
    "INSERT INTO kb_pattern SELECT point_id, role, match, code, published_codes FROM read_parquet(?)",
)
EXEMPTION = KnowledgeTable(
    "exemption",
    "kb_exemption",
    "exemption_id",
    """CREATE TABLE kb_exemption (
        exemption_id VARCHAR, rule_id VARCHAR, effect VARCHAR, reason VARCHAR, reason_en VARCHAR, evidence VARCHAR,
        status VARCHAR, diagnoses VARCHAR[], region VARCHAR, region_of VARCHAR, valid_from DATE, valid_to DATE)""",
    """INSERT INTO kb_exemption SELECT
        exemption_id, rule_id, effect, reason, reason_en, evidence, status, diagnoses, region, region_of, valid_from,
        valid_to FROM read_parquet(?)""",
)
EXEMPTION_ITEM = KnowledgeTable(
    "exemption_item",
    "kb_exemption_item",
    "exemption_id, match, value",
    "CREATE TABLE kb_exemption_item (exemption_id VARCHAR, match VARCHAR, value VARCHAR)",
    "INSERT INTO kb_exemption_item SELECT exemption_id, match, value FROM read_parquet(?)",
)
NAME = KnowledgeTable(
    "name",
    "kb_name",
    "item_name",
    "CREATE TABLE kb_name (item_name VARCHAR, item_key VARCHAR, pinyin VARCHAR, initials VARCHAR)",
    "INSERT INTO kb_name SELECT item_name, item_key, pinyin, initials FROM read_parquet(?)",
)
"""The item names of the points with what they are compared and found by; made when a knowledge base is built."""
TABLES = (POINT, PATTERN, EXEMPTION, EXEMPTION_ITEM, NAME)
"""All five, in the order in which they are written, hashed and loaded."""
