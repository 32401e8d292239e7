"""The words that the cells of a knowledge base may hold."""

from __future__ import annotations

from checker import shapes

SUBJECTS = ("参保人", "就诊人")
REGION_KINDS = ("insured", "institution")
LEVEL_CAPS = ("notice", "suspect")
MATCHES = ("code", "family")
ROLES = tuple(shapes.ROLES)
EFFECTS = ("exempt", "lower")
STATUSES = ("official", "proposed")
POINT_STATUSES = ("active", "shadow")
ITEM_MATCHES = ("code", "family", "name")
