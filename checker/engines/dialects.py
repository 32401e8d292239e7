"""The SQL that DuckDB runs, laid out to be read, in the words of another engine where that has the same; refused where it has not.

What Spark calls otherwise is said here once. What is neither said here nor known to mean the same in both is refused: a query that runs and
answers otherwise would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import UnsupportedError

WIDTH = 140
"""So many signs of one expression stand in one line."""
_LEN = re.compile(r"'(?:[^']|'')*'|\blen\(")
_MONTHS_A_YEAR = 12


class NotInEngineError(Exception):
    """`what` has no equal in the engine, by the names of DuckDB."""

    def __init__(self, what: list[str]) -> None:
        super().__init__(", ".join(what))
        self.what = what


def laid_out(sql: str, engine: str) -> str:
    """The query for an engine of checker.engines.names, laid out. Raises NotInEngineError."""
    # Of lists `len` is the only name that no text has: read as `length` it would be lost which is meant.
    plain = _LEN.sub(lambda found: "array_length(" if found[0] == "len(" else found[0], sql)
    tree = _changed(parse_one(plain, read="duckdb"), _without_double_not)
    if engine == "spark":
        return _in_spark(tree)
    return tree.sql("duckdb", pretty=True, max_text_width=WIDTH)


def _changed(tree: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """The tree with every node as `change` makes it, what is within first."""
    for node in reversed([*tree.walk()]):
        new = change(node)
        if new is not node:
            tree = new if node is tree else tree
            node.replace(new)
    return tree


def _without_double_not(node: exp.Expr) -> exp.Expr:
    inner = node.this.unnest() if isinstance(node, exp.Not) else None
    return inner.this if isinstance(inner, exp.Not) else node


def _in_spark(tree: exp.Expr) -> str:
    said = _changed(tree, _said_otherwise)
    if unknown := sorted(set(_unknown(said))):
        raise NotInEngineError(unknown)
    try:
        return said.sql("spark", pretty=True, max_text_width=WIDTH, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise NotInEngineError(sorted({str(error).splitlines()[0]})) from error


def _said_otherwise(node: exp.Expr) -> exp.Expr:
    """A node as Spark says it, where it says it otherwise than the transpiler thinks."""
    if isinstance(node, exp.CTE) and node.args.get("materialized") is not None:
        # Spark works a CTE out where it is used.
        node.set("materialized", None)
    elif isinstance(node, exp.Add) and _is_months(node.expression):
        return _call("add_months", node.this, node.expression.expressions[0])
    elif isinstance(node, exp.Filter) and isinstance(node.this, exp.ArrayAgg) and isinstance(node.this.this, exp.Order):
        return _sorted_list(node.this.this, node.expression)
    elif (
        isinstance(node, exp.ArrayAgg) and isinstance(node.this, exp.Order) and not isinstance(node.parent, exp.Filter)
    ):
        return _sorted_list(node.this, None)
    elif isinstance(node, exp.Anonymous) and (say := _SAYINGS.get(node.name.lower())):
        return say(node)
    elif isinstance(node, exp.DateDiff):
        return _days_or_months(node)
    elif isinstance(node, exp.Window) and node.args.get("alias") and isinstance(node.parent, exp.Binary):
        # The name of a window and a minus behind it are read as one word.
        return exp.paren(node.copy())
    elif isinstance(node, exp.RegexpFullMatch) and isinstance(node.expression, exp.Literal):
        pattern = exp.Literal.string(f"^(?:{node.expression.name})$")
        return exp.RegexpLike(this=node.this, expression=pattern)
    return node


def _call(name: str, *arguments: Any) -> exp.Anonymous:
    return exp.Anonymous(this=name.upper(), expressions=[*arguments])


def _is_months(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == "to_months"


def _days_or_months(node: exp.DateDiff) -> exp.Expr:
    """Days between two dates, or the first days of months: Spark's own DATEDIFF of a unit counts whole ones."""
    later, earlier, unit = node.this, node.expression, node.text("unit").upper()
    if unit == "DAY":
        return _call("datediff", later, earlier)
    if unit == "MONTH":
        return exp.paren(exp.Sub(this=_months(later), expression=_months(earlier)))
    return node


def _months(day: exp.Expr) -> exp.Expr:
    years = exp.Mul(this=_call("year", day.copy()), expression=exp.Literal.number(_MONTHS_A_YEAR))
    return exp.paren(exp.Add(this=years, expression=_call("month", day.copy())))


def _sorted_list(order: exp.Order, condition: exp.Expr | None) -> exp.Expr:
    """A list in an order: Spark collects in none, and sorts structs by their fields."""
    if any(each.args.get("desc") for each in order.expressions):
        return _call("list ORDER BY … DESC")
    keys = [
        exp.PropertyEQ(this=exp.to_identifier(f"k{at}"), expression=each.this)
        for at, each in enumerate(order.expressions)
    ]
    held = exp.Struct(expressions=[*keys, exp.PropertyEQ(this=exp.to_identifier("v"), expression=order.this)])
    listed: exp.Expr = exp.ArrayAgg(this=held)
    if condition is not None:
        listed = exp.Filter(this=listed, expression=condition)
    value = exp.Lambda(
        this=exp.Dot(this=exp.to_identifier("x"), expression=exp.to_identifier("v")),
        expressions=[exp.to_identifier("x")],
    )
    return exp.Transform(this=_call("array_sort", listed), expression=value)


def _first_of(node: exp.Anonymous) -> exp.Expr:
    whole, start, most = node.expressions
    return _call("slice", whole, start, most) if start.name == "1" else node


def _by_format(node: exp.Anonymous) -> exp.Expr:
    text, form = node.expressions
    return _call("try_to_timestamp", text, exp.Literal.string("yyyyMMdd")) if form.name == "%Y%m%d" else node


_SAYINGS: dict[str, Callable[[exp.Anonymous], exp.Expr]] = {
    "list_slice": _first_of,
    "try_strptime": _by_format,
    "strlen": lambda node: _call("octet_length", *node.expressions),
    # DuckDB leaves NULL out of what is told apart.
    "list_unique": lambda node: _call("size", _call("array_distinct", _call("array_compact", *node.expressions))),
}
"""By the name that DuckDB has for it."""
_OF_SPARK = frozenset((
    "add_months", "array_compact", "array_distinct", "array_sort", "datediff", "month", "octet_length", "size", "slice", "try_to_timestamp", "year",
))  # fmt: skip
"""What _SAYINGS and the others make of it."""
_SAME = (
    exp.Abs, exp.And, exp.AnyValue, exp.ArgMin, exp.Array, exp.ArrayAgg, exp.ArrayConcat, exp.ArrayContains, exp.ArrayFilter, exp.ArrayMin, exp.ArraySize,
    exp.Ascii, exp.Case, exp.Cast, exp.Chr, exp.Coalesce, exp.Contains, exp.Count, exp.Exists, exp.Explode, exp.FirstValue, exp.Greatest,
    exp.If, exp.Lag, exp.LastValue, exp.Least, exp.Left, exp.Length, exp.LogicalAnd, exp.LogicalOr, exp.Max, exp.Min, exp.Nullif, exp.Or,
    exp.RegexpLike, exp.Right, exp.Round, exp.RowNumber, exp.Split, exp.StartsWith, exp.Struct, exp.Substring, exp.Sum, exp.TimestampTrunc,
    exp.Transform, exp.Trim, exp.TryCast,
)  # fmt: skip
"""Functions that mean the same in both, as the transpiler writes them."""


def _unknown(tree: exp.Expr) -> Iterator[str]:
    """The functions of a tree of which nobody has made sure that Spark has them and means the same, and joins that it has not."""
    if any(
        not isinstance(spec.args.get(end), str | exp.Literal | None)
        for spec in tree.find_all(exp.WindowSpec)
        for end in ("start", "end")
    ):
        yield "RANGE … PRECEDING of a column"
    yield from ("* REPLACE" for star in tree.find_all(exp.Star) if star.args.get("replace"))
    yield from ("ASOF JOIN" for join in tree.find_all(exp.Join) if join.method)
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in _OF_SPARK:
                yield node.name
        elif not isinstance(node, _SAME) or isinstance(node.this, exp.Order):
            yield node.sql_name().lower()
