"""SQL that reads text as a kind of value, by the spellings of checker.ingest.spellings; NULL where it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from checker.ingest.spellings import (
    AGES,
    BLANKS,
    CAPITALS,
    CARE_CODE,
    CARE_WORDS,
    CARES,
    CHINA,
    CODED,
    CODES,
    EPOCH,
    FIRST_DAY,
    FLAG_KINDS,
    GROUPED,
    LAST_DAY,
    LONGEST_AGE,
    LONGEST_NULL_WORD,
    LONGEST_WORD,
    MONTHS_AND_DAYS,
    NO_DAY,
    NUMBER,
    NUMBERS,
    OFFSET,
    PLACEHOLDERS,
    SERIAL,
    TICKS,
    TIME_FORMS,
    TIME_SHAPE,
    TIMES,
    TRIMMED,
    UNKNOWN_SEXES,
    USUAL_TIME,
    WHOLE,
    WORDS,
    YEARS,
    Rewritings,
    narrowed,
    rewritten,
)
from checker.model import sqltext
from checker.model.schema import NULL_WORDS, UNKNOWN_WORDS, Kind

NUMBER_TYPE = "DECIMAL(18, 4)"
SQL_TYPES = {
    Kind.TEXT: "VARCHAR", Kind.CODE: "VARCHAR", Kind.CAPITAL: "VARCHAR", Kind.SEX: "VARCHAR", Kind.DATE: "DATE", Kind.TIME: "TIMESTAMP",
    Kind.AGE: "VARCHAR", Kind.CARE: "VARCHAR", Kind.NUMBER: NUMBER_TYPE, Kind.VALID: "BOOLEAN", Kind.REFUND: "BOOLEAN", Kind.BOOL: "BOOLEAN",
    Kind.SELF_PAID: "BOOLEAN",
}  # fmt: skip
USUAL = {
    Kind.SEX: {"1": "'male'", "2": "'female'", "0": "NULL", "9": "NULL"},
    Kind.CARE: {code: f"'{code}'" for code in CARE_WORDS},
    **{kind: {"0": "FALSE", "1": "TRUE"} for kind in FLAG_KINDS},
}
"""The codes of the national tables: told by one comparison, before any other spelling is tried."""
NOT_READ = frozenset({Kind.TEXT, Kind.CODE, Kind.CAPITAL, Kind.CARE})
"""Kinds of which every text is a value."""

MAY_FAIL = frozenset({Kind.NUMBER, Kind.TIME, Kind.DATE})
"""Kinds of which what is written in the usual way may be no value all the same: 2026-02-31."""


def clean_text(value: str) -> str:
    """SQL of a text without what stands around it, and a whole number without decimals; NULL words to NULL."""
    return _clean(value, (TRIMMED, WHOLE), _NULLS, f"NOT contains({value}, '.')")


def clean_value(value: str, kind: Kind) -> str:
    """SQL of the text of a value that is read as a number, a time or a word; NULL words to NULL, of flags fewer."""
    return _clean(value, (TRIMMED,), _NULLS_OF_FLAGS if kind in FLAG_KINDS else _NULLS)


def _clean(value: str, rewritings: Rewritings, nulls: str, *plain: str) -> str:
    # Nearly every value is plain, which is told by cheap comparisons: the first signs of BLANKS are the narrow ones, others are not ASCII.
    told = [f"NOT contains({value}, {sqltext.text(blank)})" for blank in BLANKS if blank.isascii()]
    told += [
        f"strlen({value}) = length({value})",
        *plain,
        f"NOT starts_with({value}, '''')",
        f"NOT starts_with({value}, '=')",
    ]
    words = f"strlen({value}) > {LONGEST_NULL_WORD} OR ({value} >= '0' AND {value} < ':') OR regexp_full_match({value}, {nulls}) IS FALSE"
    # Chinese words: no blank or quote stands around what begins and ends with a Chinese sign.
    chinese = f"{value} >= '一' AND {value} < '龦' AND strlen({value}) > {_LONGEST_CHINESE_NULL} AND right({value}, 1) BETWEEN '一' AND '龥'"
    trimmed = rewritten(value, rewritings)
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN {' AND '.join(told)} AND ({words}) THEN {value} WHEN {chinese} THEN {value} "
        f"WHEN NOT regexp_full_match({trimmed}, {nulls}) THEN {trimmed} END"
    )


def _any_of(words: Sequence[str]) -> str:
    return sqltext.text(f"(?i){'|'.join(map(re.escape, words))}")


_LONGEST_CHINESE_NULL = max(len(word.encode()) for word in (*NULL_WORDS, *UNKNOWN_WORDS) if word >= "一")
"""Bytes of the longest word for NULL that begins with a Chinese sign."""
_NULLS_OF_FLAGS, _NULLS = _any_of(NULL_WORDS), _any_of((*NULL_WORDS, *UNKNOWN_WORDS))


def read_text(source: str, kind: Kind) -> str:
    """SQL that reads cleaned text `source` as `kind`; NULL where it cannot be read, and for a date that stands for none."""
    if kind is Kind.TEXT:
        return source
    if kind is Kind.CODE:
        return f"upper(CASE WHEN regexp_full_match({source}, '[0-9A-Za-z]+') THEN {source} ELSE {rewritten(narrowed(source), CODES)} END)"
    if kind is Kind.CAPITAL:
        plain = f"strlen({source}) = length({source}) AND NOT contains({source}, ' ') AND NOT contains({source}, '-')"
        return f"CASE WHEN {plain} THEN upper({source}) ELSE {rewritten(f'upper({narrowed(source)})', CAPITALS)} END"
    if kind is Kind.CARE:
        # What is neither code nor word passes as it stands, cut where it is longer than any word: a province may know it.
        meant = f"CASE WHEN {_is_care('c')} THEN c ELSE CASE c {_arms(kind)} ELSE {source} END END"
        spelt = _with(rewritten(narrowed(source), CARES), "c", meant)
        short = f"WHEN length({source}) < {LONGEST_WORD} THEN {spelt}"
        return f"CASE WHEN {_is_care(source)} THEN {source} {short} ELSE left({source}, {LONGEST_WORD + 1}) END"
    if kind in WORDS:
        return _words(source, kind)
    if kind is Kind.NUMBER:
        return _number(source)
    if kind is Kind.AGE:
        return _age(source)
    # Nearly all times are of the usual form, and told without a lambda.
    usual = (
        f"regexp_full_match({source}, '{USUAL_TIME}') AND left({source}, 10) BETWEEN '{FIRST_DAY}' AND '{LAST_DAY}' "
        f"AND NOT starts_with({source}, '{EPOCH[:10]}')"
    )
    odd = _with(_moment(source), "m", given_time("m"))
    given = f"CASE WHEN {usual} THEN TRY_CAST({source} AS TIMESTAMP) WHEN NOT regexp_full_match({source}, '{NO_DAY}') THEN {odd} END"
    return given if kind is Kind.TIME else f"CAST({given} AS DATE)"


def read_usual(source: str, kind: Kind, words: Collection[str]) -> str:
    """SQL of the same, where every text is written in the usual way (checker.ingest.usual); of kinds that are words these are all that occur."""
    if kind in (Kind.CODE, Kind.CAPITAL):
        return f"upper({source})"
    if kind is Kind.NUMBER:
        return f"TRY_CAST({source} AS {NUMBER_TYPE})"
    if kind is Kind.AGE:
        return f"CAST(CAST({source} AS INTEGER) AS VARCHAR)"
    if kind in (Kind.TIME, Kind.DATE):
        time = f"TRY_CAST({source} AS TIMESTAMP)"
        return time if kind is Kind.TIME else f"CAST({time} AS DATE)"
    if kind in (Kind.TEXT, Kind.CARE):
        return source
    arms = _arms(kind, words)
    return f"CASE {source} {arms} END" if arms else f"CAST(NULL AS {SQL_TYPES[kind]})"


_DAYS = ", ".join(f"DATE '{day}'" for day in PLACEHOLDERS)


def given_time(value: str) -> str:
    """SQL of a date or time that is NULL where it stands for none."""
    others = f"{in_calendar(value)} AND CAST({value} AS DATE) NOT IN ({_DAYS}) AND {value} <> TIMESTAMP '{EPOCH}'"
    return f"CASE WHEN {surely_given(value)} OR {others} THEN {value} END"


def in_calendar(value: str) -> str:
    """SQL boolean: a date or time is of a year that four digits can tell."""
    return f"({value} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999')"


def surely_given(value: str) -> str:
    """SQL boolean, quickly told: a date or time lies between those that stand for none, as nearly all do."""
    between = f"{value} BETWEEN TIMESTAMP '{FIRST_DAY}' AND TIMESTAMP '{LAST_DAY} 23:59:59.999999'"
    return f"({between} AND {value} <> TIMESTAMP '{EPOCH}')"


def not_given(source: str, kind: Kind) -> str:
    """SQL boolean: the cleaned text `source` stands for nothing that is known, though it is a word or a date."""
    if kind is Kind.SEX:
        return f"lower({rewritten(narrowed(source), CODED)}) IN ({sqltext.texts(UNKNOWN_SEXES)})"
    if kind in (Kind.TIME, Kind.DATE):
        none = _with(_moment(source), "m", f"CAST(m AS DATE) IN ({_DAYS}) OR m = TIMESTAMP '{EPOCH}'")
        return f"(regexp_full_match({source}, '{NO_DAY}') OR coalesce({none}, FALSE))"
    return "FALSE"


def _words(source: str, kind: Kind) -> str:
    """SQL CASE over words, each text named once, for every arm repeats it: unlike a long IN list, which becomes a join of all rows."""
    arms = _arms(kind)
    other = _with(f"lower({rewritten(narrowed('s'), CODED)})", "w", f"CASE w {arms} END")
    # Nearly all words are written as they stand here.
    return _with(source, "s", f"CASE s {arms} ELSE {other} END")


def _is_care(value: str) -> str:
    return f"regexp_full_match({value}, '{CARE_CODE}')"


def _arms(kind: Kind, only: Collection[str] | None = None) -> str:
    return " ".join(
        f"WHEN {sqltext.text(word)} THEN {_literal(meaning)}"
        for words, meaning in WORDS[kind]
        for word in words
        if only is None or word in only
    )


def _literal(meaning: str | bool) -> str:
    return sqltext.text(meaning) if isinstance(meaning, str) else str(meaning).upper()


def _number(source: str) -> str:
    def cast(text: str) -> str:
        return f"TRY_CAST({text} AS {NUMBER_TYPE})"

    written = rewritten(f"upper({narrowed(source)})", NUMBERS)
    ungrouped = cast("replace(n, ',', '')")
    plain = (
        f"CASE WHEN regexp_full_match(n, '{NUMBER}') THEN {cast('n')} "
        f"WHEN regexp_full_match(n, '{GROUPED}') THEN {ungrouped} END"
    )
    return (
        f"CASE WHEN regexp_full_match({source}, '{NUMBER}') THEN {cast(source)} ELSE {_with(written, 'n', plain)} END"
    )


def _age(source: str) -> str:
    # Below zero any age is impossible, so that its size does not matter.
    spelt = rewritten(f"upper({narrowed(source)})", AGES)

    def part(number: int) -> str:
        return (
            f"coalesce(TRY_CAST(left(regexp_extract(a, '^{MONTHS_AND_DAYS}$', {number}), {LONGEST_AGE}) AS BIGINT), 0)"
        )

    def has(number: int) -> str:
        return f"regexp_extract(a, '^{MONTHS_AND_DAYS}$', {number}) <> ''"

    years = f"CAST(CAST(left(regexp_extract(a, '^{YEARS}$', 1), {LONGEST_AGE}) AS BIGINT) AS VARCHAR)"
    read = (
        f"CASE WHEN regexp_matches(a, '^-.*[1-9]') AND regexp_full_match(a, '{YEARS}') THEN '-1' "
        f"WHEN regexp_full_match(a, '{YEARS}') THEN {years} "
        f"WHEN NOT regexp_full_match(a, '{MONTHS_AND_DAYS}') THEN NULL "
        f"WHEN {has(3)} AND {part(1)} * 12 + {part(2)} = 0 THEN {part(3)} || 'D' "
        f"WHEN {has(1)} OR {has(2)} THEN {part(1)} * 12 + {part(2)} || 'M' END"
    )
    plain = f"WHEN regexp_full_match({source}, '[0-9]{{1,3}}') THEN CAST(CAST({source} AS INTEGER) AS VARCHAR)"
    return f"CASE {plain} ELSE {_with(spelt, 'a', read)} END"


def _moment(source: str) -> str:
    """SQL of the time on the wall clock of China that a cleaned text gives."""
    forms = f"[{sqltext.texts(TIME_FORMS)}]"
    local = f"CASE WHEN regexp_full_match(t, '{TIME_SHAPE}') THEN try_strptime(t, {forms}) END"
    zone = f"regexp_extract(t, '{OFFSET}', 2)"
    hours = f"coalesce(TRY_CAST({zone} AS INTEGER), 0)"
    minutes = f"coalesce(TRY_CAST({zone}[1] || regexp_extract(t, '{OFFSET}', 3) AS INTEGER), 0)"
    shifted = _with(f"regexp_extract(t, '{OFFSET}', 1)", "u", local.replace("(t, ", "(u, "))
    read = (
        f"CASE WHEN regexp_full_match(t, '{SERIAL}') "
        f"THEN TIMESTAMP '1899-12-30' + to_seconds(CAST(round(CAST(t AS DOUBLE) * 86400) AS BIGINT)) "
        f"WHEN regexp_full_match(t, '{TICKS}') THEN epoch_ms(CAST(t AS BIGINT)) + INTERVAL {CHINA} HOUR "
        f"WHEN regexp_matches(t, '{OFFSET}') THEN {shifted} + to_hours({CHINA} - {hours}) - to_minutes({minutes}) "
        f"ELSE {local} END"
    )
    spelt = rewritten(f"upper({narrowed(source)})", TIMES)
    return f"CASE WHEN regexp_full_match({source}, '{USUAL_TIME}') THEN TRY_CAST({source} AS TIMESTAMP) ELSE {_with(spelt, 't', read)} END"


def _with(value: str, name: str, body: str) -> str:
    """SQL of `body`, in which `name` stands for `value`, which is worked out once."""
    return f"list_transform([{value}], lambda {name}: {body})[1]"
