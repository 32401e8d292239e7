"""What of a message could not be read, and so was not reviewed: the rest of it is judged all the same."""

from __future__ import annotations

from typing import NamedTuple


class Unread(NamedTuple):
    """An order (`rx_id`), an encounter or a patient that could not be read, and why: a sentence that names its path."""

    patient_id: str | None
    visit_id: str | None
    rx_id: str | None
    message: str
    is_order: bool
