"""How many lines and persons it takes to speak of a group."""

LEAST_LINES, LEAST_PERSONS = 4, 3
"""Fewer lines, or lines of fewer persons, are no cluster: one patient's course is no cause of its own."""
