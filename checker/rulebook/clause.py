"""Reads a clause: SQL from outside, parsed, held against an allow-list, and written anew for the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import TokenType

from checker.model import sqltext
from checker.model.errors import InternalError, both
from checker.model.nearest import nearest
from checker.shapes.base import SQL_TYPES, Shape

if TYPE_CHECKING:
    import duckdb

_INT_MAX = 2**31 - 1
_TEXT_MAX = 4000
_COLUMN_TEXT = 200
_DEPTH_MAX = 60
_NAMES: dict[type | None, tuple[str, str]] = {
    bool: ("真假值", "true or false"), int: ("整数", "a whole number"), str: ("文字", "a text"), None: ("NULL", "NULL"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One checked expression: `sql` is DuckDB SQL over unqualified base columns, the parameters' numbers put in."""

    text: str
    sql: str
    kind: type
    columns: frozenset[str]
    params: frozenset[str]


@dataclass(frozen=True, slots=True)
class Function:
    """One function that a clause may call: it never raises, and means the same in DuckDB and Spark, on NULL too.

    `takes` are the kinds of its arguments in order (None: any, but all of one kind); `more` repeats the last at will.
    """

    name: str
    node: type[exp.Expr]
    slots: tuple[str, ...]
    takes: tuple[type | None, ...]
    more: bool
    gives: type | None
    on_null: str


FUNCTIONS = (
    Function("coalesce", exp.Coalesce, ("this",), (None,), True, None, "the first that is not NULL"),
    Function("nullif", exp.Nullif, ("this", "expression"), (None, None), False, None, "the first argument"),
    Function("least", exp.Least, ("this",), (int,), True, int, "NULL arguments are left out"),
    Function("greatest", exp.Greatest, ("this",), (int,), True, int, "NULL arguments are left out"),
    Function("abs", exp.Abs, ("this",), (int,), False, int, "NULL"),
    Function("length", exp.Length, ("this",), (str,), False, int, "NULL"),
    Function("starts_with", exp.StartsWith, ("this", "expression"), (str, str), False, bool, "NULL"),
    Function("replace", exp.Replace, ("this", "expression", "replacement"), (str, str, str), False, str, "NULL"),
)
"""All that a clause may call. Not lower and upper (engines differ on Unicode), nor concat (on NULL; write a || b)."""


def read_clause(text: str, kind: type, params: Mapping[str, int], shape: Shape) -> Clause | tuple[str, ...]:
    """Return the checked clause of this kind (bool, int or str) over the columns of a shape, or all that is wrong with it, in both languages."""
    try:
        tree = _parse(text)
        if isinstance(tree, str):
            return (tree,)
        reader = _Reader(params, shape)
        term = reader.read(tree)
        if not reader.faults and term.kind is not kind:
            found, wanted = _NAMES[term.kind], _NAMES[kind]
            reader.faults.append(
                both(
                    f"结果是{found[0]}，应为{wanted[0]}，请改写",
                    f"gives {found[1]}, but has to give {wanted[1]}; write it so",
                )
            )
        if reader.faults:
            return tuple(dict.fromkeys(reader.faults))
        return Clause(text, term.node.sql(dialect="duckdb"), kind, frozenset(reader.columns), frozenset(reader.used))
    except RecursionError:
        return (_TOO_DEEP,)


def check_types(clauses: Iterable[Clause], shape: Shape) -> None:
    """Run each clause in DuckDB over one row of typed NULLs; InternalError names what fails or has another type."""
    import duckdb

    with duckdb.connect(":memory:", config={"enable_external_access": False, "threads": 1}) as connection:
        faults = [fault for clause in clauses if (fault := type_fault(connection, clause, shape))]
    if faults:
        raise InternalError("\n".join(faults))


def type_fault(connection: duckdb.DuckDBPyConnection, clause: Clause, shape: Shape) -> str | None:
    """Why a clause does not run over one row of typed NULLs on this connection, or has another type; None where it is sound."""
    import duckdb

    types = {bool: "BOOLEAN", int: "BIGINT", str: "VARCHAR"}
    row = sqltext.nulls({name: types[kind] for name, kind in shape.kinds.items()})
    try:
        relation = connection.sql(f"SELECT {clause.sql} AS answer FROM (SELECT {row})")
        relation.fetchall()
        found, wanted = str(relation.types[0]), SQL_TYPES[clause.kind]
    except duckdb.Error as error:
        return _accepted(clause, f"运行失败：{error}", f"does not run: {error}")
    if found != wanted and (found, wanted) != ("INTEGER", "BIGINT"):
        return _accepted(clause, f"结果是 {found}，不是 {wanted}", f"gives {found} instead of {wanted}")
    return None


def _accepted(clause: Clause, chinese: str, english: str) -> str:
    text = clause.text.strip()
    return both(f"子句 `{text}` 检查通过，但{chinese}", f"`{text}` was accepted but {english}")


_TOO_DEEP = both(
    f"嵌套太深，最多 {_DEPTH_MAX} 层；许多 or 可以写成 `x in (…)`",
    f"is nested too deeply; at most {_DEPTH_MAX} levels, and `x in (…)` takes the place of many ors",
)


def _parse(text: str) -> exp.Expr | str:
    if len(text) > _TEXT_MAX:
        return both(
            f"有 {len(text)} 个字符，最多 {_TEXT_MAX} 个，请写短一些",
            f"has {len(text)} characters; a clause has at most {_TEXT_MAX}",
        )
    try:
        tokens = sqlglot.tokenize(text, dialect="duckdb")
        if not tokens:
            return both("没有表达式，请用基本列写一个", "holds no expression; write one over the base columns")
        if any(token.comments for token in tokens):
            return both("含有注释，说明请写在 [docs] 里", "holds a comment; explain the clause in [docs]")
        if any(token.token_type is TokenType.SEMICOLON for token in tokens):
            return both("含有分号，子句只能是一个表达式，请删去", "holds a semicolon; a clause is one expression")
        return sqlglot.parse_one(text, dialect="duckdb", into=exp.Condition)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        near = f"{place.get('start_context', '')}{place.get('highlight', '')}".strip()[-40:]
        at_zh = f"（第 {place['line']} 行第 {place['col']} 列，`{near}` 之后）" if place.get("line") else ""
        at_en = f" at line {place['line']}, column {place['col']}, after `{near}`" if place.get("line") else ""
        return both(f"不是一个 SQL 表达式{at_zh}，请改正", f"is not one SQL expression{at_en}; mend it")
    except SqlglotError as error:
        return both(f"无法分词（{error}），请改正", f"cannot be split into words: {error}; mend it")


@dataclass(frozen=True, slots=True)
class _Term:
    """A part that has been read: its new node, its kind, and its bounds (a number's values, a text's length)."""

    node: exp.Expr
    kind: type | None
    low: int = 0
    high: int = 0


class _Reader:
    """Builds a new tree from the allowed parts of a parsed one; what is not allowed is noted and stands as NULL."""

    def __init__(self, params: Mapping[str, int], shape: Shape) -> None:
        self.params = params
        self._known = {column.name: column for column in shape.columns}
        self.faults: list[str] = []
        self.columns: set[str] = set()
        self.used: set[str] = set()
        self._depth = 0

    def read(self, node: exp.Expr) -> _Term:
        """Return the part that this node stands for."""
        handler, known = _NODES.get(type(node), (None, frozenset[str]()))
        if handler is None:
            return self._refuse(*_not_allowed(node))
        extra = [key for key, value in node.args.items() if value and key not in known]
        if extra:
            return self._refuse(*_not_allowed(node, "的这种写法", " in this form"))
        if self._depth >= _DEPTH_MAX:
            return self._noted(_TOO_DEEP)
        self._depth += 1
        term = handler(self, node)
        self._depth -= 1
        return term

    def _refuse(self, chinese: str, english: str) -> _Term:
        return self._noted(both(chinese, english))

    def _noted(self, fault: str) -> _Term:
        self.faults.append(fault)
        return _Term(exp.Null(), None)

    def _want(self, node: exp.Expr, kind: type) -> _Term:
        term = self.read(node)
        if term.kind not in (kind, None):
            found, wanted = _NAMES[term.kind], _NAMES[kind]
            return self._refuse(
                f"{_shown(node)} 是{found[0]}，这里应为{wanted[0]}，请改写",
                f"{_shown(node)} is {found[1]}, but {wanted[1]} is needed here",
            )
        return term

    def _alike(self, nodes: Iterable[exp.Expr]) -> list[_Term]:
        """Read parts that have to be of one kind; NULL goes with each."""
        nodes = list(nodes)
        terms = [self.read(node) for node in nodes]
        kinds = {term.kind for term in terms} - {None}
        if len(kinds) > 1:
            pairs = [(_shown(node), _NAMES[term.kind]) for node, term in zip(nodes, terms, strict=True)]
            self._refuse(
                f"类型不一致：{'，'.join(f'{shown} 是{zh}' for shown, (zh, _) in pairs)}；请改成同一类型",
                f"kinds are mixed: {', '.join(f'{shown} is {en}' for shown, (_, en) in pairs)}; all have to be of one kind",
            )
        return terms

    def column(self, node: exp.Expr) -> _Term:
        name = node.name
        known = self._known.get(name)
        if known is None:
            hint_zh, hint_en = nearest(name, self._known)
            return self._refuse(f"没有基本列“{name}”，{hint_zh}", f"no base column {name!r}; {hint_en}")
        self.columns.add(name)
        low, high = (known.least, known.most) if known.kind is int else (0, _COLUMN_TEXT)
        return _Term(exp.column(name), known.kind, low, high)

    def literal(self, node: exp.Expr) -> _Term:
        value = node.name
        if node.is_string:
            if "\\" in value or not value.isprintable():
                return self._refuse(
                    f"{value!a} 含有反斜杠或看不见的字符，请写普通文字",
                    f"{value!a} holds a backslash or an invisible character; write plain text",
                )
            return _Term(exp.Literal.string(value), str, len(value), len(value))
        if not (value.isascii() and value.isdigit()) or int(value) > _INT_MAX:
            return self._refuse(
                f"{value} 不是整数，或大于 {_INT_MAX}，请改写",
                f"the number {value} is no whole number up to {_INT_MAX}; write one",
            )
        return _Term(exp.Literal.number(int(value)), int, int(value), int(value))

    def placeholder(self, node: exp.Expr) -> _Term:
        name = node.name
        if name not in self.params:
            hint_zh, hint_en = nearest(name, self.params)
            return self._refuse(
                f"[params] 中没有声明参数 :{name}，{hint_zh}",
                f"no parameter :{name} is declared under [params]; {hint_en}",
            )
        self.used.add(name)
        value = self.params[name]
        number = exp.Literal.number(abs(value))
        return _Term(exp.Paren(this=exp.Neg(this=number)) if value < 0 else number, int, value, value)

    def boolean(self, node: exp.Expr) -> _Term:
        return _Term(exp.Boolean(this=bool(node.this)), bool)

    def null(self, node: exp.Expr) -> _Term:
        return _Term(exp.Null(), None)

    def paren(self, node: exp.Expr) -> _Term:
        return self.read(node.this)

    def connect(self, node: exp.Expr) -> _Term:
        left, right = self._want(node.this, bool), self._want(node.expression, bool)
        return _Term(type(node)(this=_whole(left), expression=_whole(right)), bool)

    def negate(self, node: exp.Expr) -> _Term:
        return _Term(exp.Not(this=_whole(self._want(node.this, bool))), bool)

    def compare(self, node: exp.Expr) -> _Term:
        left, right = self._alike((node.this, node.expression))
        if isinstance(node.this, exp.Null) or isinstance(node.expression, exp.Null):
            return self._refuse(
                f"{_shown(node)} 对每一行都是 NULL，请写 `is null` 或 `is not null`",
                f"{_shown(node)} is NULL for every line; write `is null` or `is not null`",
            )
        if bool in (left.kind, right.kind) and not isinstance(node, exp.EQ | exp.NEQ):
            self._refuse(*_unordered(node))
        return _Term(type(node)(this=_whole(left), expression=_whole(right)), bool)

    def between(self, node: exp.Expr) -> _Term:
        value, low, high = self._alike((node.this, node.args["low"], node.args["high"]))
        if value.kind is bool:
            self._refuse(*_unordered(node))
        return _Term(exp.Between(this=_whole(value), low=_whole(low), high=_whole(high)), bool)

    def is_(self, node: exp.Expr) -> _Term:
        if isinstance(node.expression, exp.Null):
            return _Term(exp.Is(this=_whole(self.read(node.this)), expression=exp.Null()), bool)
        if not isinstance(node.expression, exp.Boolean):
            return self._refuse(
                f"不能用 {_shown(node)}，`is` 之后只能写 null、true 或 false",
                f"{_shown(node)} is not allowed; after `is` comes null, true or false",
            )
        value = self._want(node.this, bool)
        return _Term(exp.Is(this=_whole(value), expression=exp.Boolean(this=bool(node.expression.this))), bool)

    def in_(self, node: exp.Expr) -> _Term:
        entries = node.expressions
        if not entries or not all(isinstance(entry, exp.Literal | exp.Placeholder) for entry in entries):
            return self._refuse(
                f"不能用 {_shown(node)}，`in` 之后请写括号里的一列常量",
                f"{_shown(node)} is not allowed; after `in` comes a list of literals in parentheses",
            )
        value, *listed = self._alike((node.this, *entries))
        return _Term(exp.In(this=_whole(value), expressions=[entry.node for entry in listed]), bool)

    def case(self, node: exp.Expr) -> _Term:
        branches = node.args["ifs"]
        if node.this is None:
            subject, tests = None, [self._want(branch.this, bool) for branch in branches]
        else:
            subject, *tests = self._alike((node.this, *(branch.this for branch in branches)))
        default = node.args.get("default")
        results = self._alike([branch.args["true"] for branch in branches] + ([] if default is None else [default]))
        pairs = zip(tests, results, strict=False)  # the default's result is left over
        rebuilt = exp.Case(ifs=[exp.If(this=_whole(test), true=_whole(result)) for test, result in pairs])
        if subject is not None:
            rebuilt.set("this", _whole(subject))
        if default is not None:
            rebuilt.set("default", _whole(results[-1]))
        return replace(_joined(results), node=rebuilt)

    def arithmetic(self, node: exp.Expr) -> _Term:
        left, right = self._want(node.this, int), self._want(node.expression, int)
        ends = [_ARITHMETIC[type(node)](a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
        return self._number(node, type(node)(this=_whole(left), expression=_whole(right)), min(ends), max(ends))

    def minus(self, node: exp.Expr) -> _Term:
        value = self._want(node.this, int)
        return self._number(node, exp.Neg(this=_whole(value)), -value.high, -value.low)

    def _number(self, node: exp.Expr, rebuilt: exp.Expr, low: int, high: int) -> _Term:
        if low < -_INT_MAX or high > _INT_MAX:
            return self._refuse(
                f"{_shown(node)} 可能超出整数的范围 ±{_INT_MAX}，请改写",
                f"{_shown(node)} can leave the range ±{_INT_MAX} of a whole number; write smaller numbers",
            )
        return _Term(rebuilt, int, low, high)

    def join(self, node: exp.Expr) -> _Term:
        left, right = self._want(node.this, str), self._want(node.expression, str)
        rebuilt = exp.DPipe(this=_whole(left), expression=_whole(right), safe=True)
        return self._text(node, _Term(rebuilt, str, left.low + right.low, left.high + right.high))

    def _text(self, node: exp.Expr, term: _Term) -> _Term:
        if term.high > _TEXT_MAX:
            return self._refuse(
                f"{_shown(node)} 可能超过 {_TEXT_MAX} 个字符，请写短一些",
                f"{_shown(node)} can grow longer than {_TEXT_MAX} characters; write less",
            )
        return term

    def cast(self, node: exp.Expr) -> _Term:
        if node.args["to"].this not in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR):
            return self._refuse(
                f"不能用 {_shown(node)}，只能转换成 varchar，其他类型的转换可能失败",
                f"{_shown(node)} is not allowed; cast to varchar only, others can fail",
            )
        value = self.read(node.this)
        rebuilt = exp.Cast(this=_whole(value), to=exp.DataType.build("text"))
        return _Term(rebuilt, str, 0, value.high if value.kind is str else 11)

    def call(self, node: exp.Expr) -> _Term:
        function = _BY_NODE[type(node)]
        written = [node.args[slot] for slot in function.slots if node.args.get(slot) is not None]
        arguments = [*written, *node.expressions]
        if len(written) < len(function.slots) or (node.expressions and not function.more):
            return self._refuse(
                f"{_shown(node)} 应有 {len(function.slots)} 个参数，请补全或删去多余的",
                f"{_shown(node)} needs {len(function.slots)} argument(s)",
            )
        wanted = [*function.takes, *([function.takes[-1]] * (len(arguments) - len(function.takes)))]
        if None in wanted:
            terms = self._alike(arguments)
        else:
            terms = [self._want(each, kind) for each, kind in zip(arguments, wanted, strict=True) if kind is not None]
        rebuilt = function.node(**{slot: term.node for slot, term in zip(function.slots, terms, strict=False)})
        if function.more:
            rebuilt.set("expressions", [term.node for term in terms[len(function.slots) :]])
        if function.node in (exp.Least, exp.Greatest):
            rebuilt.set("ignore_nulls", True)
        return self._bounded(node, function, rebuilt, terms)

    def _bounded(self, node: exp.Expr, function: Function, rebuilt: exp.Expr, terms: list[_Term]) -> _Term:
        first = terms[0]
        if function.node is exp.Abs:
            return _Term(rebuilt, int, 0, max(abs(first.low), abs(first.high)))
        if function.node is exp.Length:
            return _Term(rebuilt, int, 0, first.high)
        if function.node is exp.StartsWith:
            return _Term(rebuilt, bool)
        if function.node is exp.Replace:
            return self._text(node, _Term(rebuilt, str, 0, first.high * max(1, terms[2].high)))
        return replace(_joined(terms), node=rebuilt)


def _joined(terms: list[_Term]) -> _Term:
    """A term that can be any of these."""
    kind = next((term.kind for term in terms if term.kind is not None), None)
    known = [term for term in terms if term.kind is not None] or terms
    return _Term(exp.Null(), kind, min(term.low for term in known), max(term.high for term in known))


def _whole(term: _Term) -> exp.Expr:
    """The node as an operand: in parentheses unless it is a word or call, so that every engine reads the same tree."""
    return term.node if type(term.node) in _ATOMS else exp.Paren(this=term.node)


def _not_allowed(node: exp.Expr, form_zh: str = "", form_en: str = "") -> tuple[str, str]:
    hint_zh, hint_en = _HINTS.get(type(node), ("请换一种写法", "write it otherwise"))
    if isinstance(node, exp.Func) and type(node) not in _HINTS:
        known = ", ".join(function.name for function in FUNCTIONS)
        hint_zh, hint_en = f"可用的函数：{known}", f"functions are {known}"
    return f"不能用 {_shown(node)}{form_zh}，{hint_zh}", f"{_shown(node)} is not allowed{form_en}; {hint_en}"


def _unordered(node: exp.Expr) -> tuple[str, str]:
    return (
        f"{_shown(node)} 比较了真假值的大小，真假值只能用 = 和 <> 比较",
        f"{_shown(node)} puts true and false in order; only = and <> compare them",
    )


def _shown(node: exp.Expr) -> str:
    text = node.sql(dialect="duckdb", comments=False)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


_BY_NODE = {function.node: function for function in FUNCTIONS}
_ATOMS = {exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Cast, exp.Case, *_BY_NODE}
_ARITHMETIC: dict[type, Callable[[int, int], int]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
}
_PAIR = frozenset({"this", "expression"})
_NODES: dict[type, tuple[Callable[[_Reader, exp.Expr], _Term], frozenset[str]]] = {
    exp.Column: (_Reader.column, frozenset({"this"})),
    exp.Literal: (_Reader.literal, frozenset({"this", "is_string"})),
    exp.Placeholder: (_Reader.placeholder, frozenset({"this"})),
    exp.Boolean: (_Reader.boolean, frozenset({"this"})),
    exp.Null: (_Reader.null, frozenset()),
    exp.Paren: (_Reader.paren, frozenset({"this"})),
    exp.And: (_Reader.connect, _PAIR),
    exp.Or: (_Reader.connect, _PAIR),
    exp.Not: (_Reader.negate, frozenset({"this"})),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), (_Reader.compare, _PAIR)),
    exp.Between: (_Reader.between, frozenset({"this", "low", "high"})),
    exp.Is: (_Reader.is_, _PAIR),
    exp.In: (_Reader.in_, frozenset({"this", "expressions"})),
    exp.Case: (_Reader.case, frozenset({"this", "ifs", "default"})),
    **dict.fromkeys(_ARITHMETIC, (_Reader.arithmetic, _PAIR)),
    exp.Neg: (_Reader.minus, frozenset({"this"})),
    exp.DPipe: (_Reader.join, _PAIR | {"safe"}),
    exp.Cast: (_Reader.cast, frozenset({"this", "to"})),
    **{
        function.node: (_Reader.call, frozenset({*function.slots, "expressions", "ignore_nulls"}))
        for function in FUNCTIONS
    },
}
_HINTS: dict[type, tuple[str, str]] = {
    exp.Column: ("基本列前面不写表名", "base columns are written without a table"),
    exp.Subquery: ("子句只看一行明细和它的知识点", "a clause reads one line and its point, no other rows"),
    exp.Concat: ("请写 a || b", "write a || b"),
    exp.If: ("请写 case when … then … else … end", "write case when … then … else … end"),
    exp.Div: ("除以零的结果各引擎不同", "a division by zero has no answer that all engines share"),
}
"""What may stand in a clause, and beside it what to write in place of what may not."""
