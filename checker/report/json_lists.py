"""One JSON document whose last keys are long lists, written piece by piece with one entry a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

_ROWS = 10_000


def json_pieces(head: Mapping[str, Any], lists: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield the document: the keys of `head`, indented, then each list; its entries are JSON already, in blocks of lines."""
    yield json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}")
    for name, blocks in lists.items():
        yield f',\n  "{name}": ['
        joint = "\n    "
        for block in blocks:
            yield joint + block.replace("\n", ",\n    ")
            joint = ",\n    "
        yield "\n  ]" if joint[0] == "," else "]"
    yield "\n}\n"


def frame_blocks(frame: pl.DataFrame) -> Iterator[str]:
    """The rows of a frame as JSON objects, a line each, in blocks."""
    for block in frame.iter_slices(_ROWS):
        yield block.write_ndjson().removesuffix("\n")


def value_blocks(values: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The values as JSON objects, a line each."""
    for value in values:
        yield json.dumps(value, ensure_ascii=False)
