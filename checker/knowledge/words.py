"""The words that the cells of a knowledge base may hold."""

from __future__ import annotations

from checker import shapes

COMPANIONS = ("herb_piece",)
SEXES = ("male", "female")
AGE_WORDS = ("新生儿", "婴儿", "婴幼儿", "儿童", "小儿")
UNITS = ("year", "month", "day")
SUBJECTS = ("参保人", "就诊人")
REGION_KINDS = ("insured", "institution")
LEVEL_CAPS = ("notice", "suspect")
MATCHES = ("code", "family")
ROLES = tuple(shapes.ROLES)
EFFECTS = ("exempt", "lower")
STATUSES = ("official", "proposed")
POINT_STATUSES = ("active", "shadow")
ITEM_MATCHES = ("code", "family", "name")
