"""What all steps of finding clusters share: how much it takes to speak of a group, and which lines are of one."""

LEAST_LINES, LEAST_PERSONS = 4, 3
"""Fewer lines, or lines of fewer persons, are no cluster: one patient's course is no cause of its own."""
OF_GROUP = """c.institution_id IS NOT DISTINCT FROM l.institution_id AND (c.item_code IS NULL OR c.item_code = l.item_code)
    AND (c.local IS NULL OR c.local = l.local) AND (c.prescriber IS NULL OR c.prescriber = l.prescriber) AND (c.day IS NULL OR c.day = l.day)"""
"""SQL of whether a line `l` is of the group `c`: what names no part of the group is any."""
