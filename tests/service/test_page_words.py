"""The texts of the pages: each that is asked for is there, each that is there is asked for, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from checker.model.words import catalogue

PAGE = Path(__file__).parents[2] / "checker" / "service" / "page"
TEXTS = ("asking.js", "telling.js")


def _keys() -> list[str]:
    written = "".join((PAGE / name).read_text(encoding="utf-8") for name in TEXTS)
    return re.findall(r"^  (\w+): \[", written, re.MULTILINE)


def _sources() -> str:
    files = [path for path in sorted(PAGE.iterdir()) if path.suffix in (".js", ".html") and path.name not in TEXTS]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_text_that_is_asked_for_is_there() -> None:
    known = {*_keys(), *(f"{kind}_{code}" for kind, words in catalogue().items() for code in words)}
    asked = set(re.findall(r'(?:say\(|data-say(?:-label|-hint)?=)"(\w+)"', _sources()))
    assert asked - known == set()


def test_every_text_is_asked_for_and_stands_once() -> None:
    source = _sources()
    named = set(re.findall(r'"(\w+)"', source))
    made = tuple(re.findall(r"`(\w+_)\$\{", source))
    assert [key for key in _keys() if key not in named and not key.startswith(made)] == []
    assert len(_keys()) == len(set(_keys()))


def test_the_first_text_of_each_element_is_the_chinese_one() -> None:
    texts = dict(
        re.findall(
            r'^  (\w+): \[\s*"((?:[^"\\]|\\.)*)"',
            "".join((PAGE / name).read_text(encoding="utf-8") for name in TEXTS),
            re.MULTILINE,
        )
    )
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r'data-say="(\w+)"[^>]*>([^<]+)<', page)
    assert [(key, text) for key, text in shown if texts.get(key, text) != text] == []
