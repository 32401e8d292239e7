"""A template of a message: text with {placeholders}, read once, filled as text at the counter or as SQL in a scan."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Formatter

from checker.model import sqltext
from checker.model.errors import both


@dataclass(frozen=True, slots=True)
class Template:
    """Texts and the names of the placeholders between them; there is one text more than names."""

    texts: tuple[str, ...]
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with what stands for each placeholder; what is no text fails, and is not told as the word None."""
        return "".join(self._parts(self.texts, [values[name] for name in self.names]))

    def sql(self, values: Mapping[str, str]) -> str:
        """SQL of the same, from SQL that stands for each placeholder; NULL is left out."""
        texts = [sqltext.text(text) for text in self.texts]
        return f"concat({', '.join(self._parts(texts, [values[name] for name in self.names]))})"

    @staticmethod
    def _parts(texts: Collection[str], between: Collection[str]) -> list[str]:
        parts = [""] * (len(texts) + len(between))
        parts[::2], parts[1::2] = texts, between
        return parts


def template_faults(text: str, known: Collection[str]) -> tuple[str, ...]:
    """What is wrong with a template whose placeholders may have these names, in both languages; empty where it is sound."""
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        chinese = "花括号 { } 不成对；花括号本身请写 {{ 或 }}"
        return (both(chinese, "the braces { } do not pair; write {{ or }} for a brace that is meant as text"),)
    faults = []
    listed = ", ".join(known)
    for _, name, style, conversion in fields:
        if name is not None and name not in known:
            told = (
                f"没有 {{{name}}} 这个占位，可用的占位：{listed}",
                f"nobody fills {{{name}}}; placeholders are {listed}",
            )
            faults.append(both(*told))
        elif style or conversion:
            faults.append(both(f"请只写 {{{name}}}，不带 ! 和 :", f"{{{name}}} is written without ! and : in it"))
    return tuple(faults)


@functools.cache
def read_template(text: str) -> Template:
    """Read a template that `template_faults` has nothing against."""
    texts, names = [""], []
    for literal, name, _, _ in Formatter().parse(text):
        texts[-1] += literal
        if name is not None:
            names.append(name)
            texts.append("")
    return Template(tuple(texts), tuple(names))
