"""What a change may do at most before it fails: findings that come or go on the lines given, points and codes that are deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from checker.change.edits import DELETED_EXEMPTION, EDITED, ENDED_BEFORE, RELAXED, REUSED, WIDENED, Edit
from checker.change.impact_findings import Compared
from checker.change.misnamed import Misnamed
from checker.knowledge.diff.compare import KnowledgeDiff


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit that was set, and what was found: a share (0 to 1) where the name ends with it, or a number."""

    name: str
    value: Decimal
    limit: Decimal

    @property
    def exceeded(self) -> bool:
        """True where more was found than the limit allows."""
        return self.value > self.limit

    @property
    def is_share(self) -> bool:
        """Whether both are shares and no numbers."""
        return self.name.endswith("_share")

    @property
    def option(self) -> str:
        """The option that sets it."""
        return f"--{self.name.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a change; NULL where there is none.

    Newly flagged lines are counted, and as a share of the judged ones; lost lines, flagged before and no longer, as a share of those flagged
    before; changed lines are flagged on both sides, at another level or by another verdict. Deleted points are gone from the text, not ended by a
    date; deleted codes are limited by a rule on no day any more, be it that their point is gone or that it lists them no longer. Edited
    points were in force and say something else under the same id; reused ids are given to another item. Of misnamed points most lines
    given are called otherwise. Ended points end before the day of the check, of no list that the change takes in, and nothing follows them; the share
    is the largest part of its points in force that a rule loses by ends, whenever these are. Relaxed points follow another and hold less. Deleted
    exemptions had begun, and no other says the same.
    """

    max_new_share: Decimal | None = None
    max_new_lines: int | None = None
    max_lost_share: Decimal | None = None
    max_lost_lines: int | None = None
    max_changed_lines: int | None = None
    max_deleted_points: int | None = None
    max_deleted_codes: int | None = None
    max_edited_points: int | None = None
    max_reused_ids: int | None = None
    max_misnamed_points: int | None = None
    max_ended_points: int | None = None
    max_ended_share: Decimal | None = None
    max_relaxed_points: int | None = None
    max_widened_exemptions: int | None = None
    max_deleted_exemptions: int | None = None

    def of_names(self, misnamed: Sequence[Misnamed]) -> tuple[Threshold, ...]:
        """The limit of points whose lines are called otherwise."""
        return self._set(max_misnamed_points=len(misnamed))

    def of_findings(self, compared: Compared, judged: int) -> tuple[Threshold, ...]:
        """The limits of what changes on so many judged lines."""
        new, gone, changed = (each.extent.lines for each in (compared.new, compared.gone, compared.changed))
        return self._set(
            max_new_share=Decimal(new) / judged, max_new_lines=new, max_lost_share=Decimal(gone) / max(compared.flagged_before.lines, 1),
            max_lost_lines=gone, max_changed_lines=changed,
        )  # fmt: skip

    def of_knowledge(
        self, difference: KnowledgeDiff, edits: Sequence[Edit] = (), ended_share: Decimal = Decimal(0)
    ) -> tuple[Threshold, ...]:
        """The limits of what is no longer in the text, or written over, ended or relaxed in it."""
        kinds = Counter(edit.kind for edit in edits)
        return self._set(
            max_deleted_points=sum(rule.points["removed"] for rule in difference.rules),
            max_deleted_codes=sum(rule.codes["lost"] for rule in difference.rules),
            max_edited_points=kinds[EDITED],
            max_reused_ids=kinds[REUSED],
            max_ended_points=kinds[ENDED_BEFORE],
            max_ended_share=ended_share,
            max_relaxed_points=kinds[RELAXED],
            max_widened_exemptions=kinds[WIDENED],
            max_deleted_exemptions=kinds[DELETED_EXEMPTION],
        )

    def _set(self, **found: Decimal | int) -> tuple[Threshold, ...]:
        return tuple(
            Threshold(name, Decimal(value), Decimal(limit))
            for name, value in found.items()
            if (limit := getattr(self, name)) is not None
        )


NO_LIMITS = Limits()
