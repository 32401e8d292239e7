"""Which points limit for whom an item may be used or paid."""

OF_AGE = "(p.age_min IS NOT NULL OR p.age_max IS NOT NULL OR p.age_word IS NOT NULL)"
"""SQL of the points `p` that limit by age."""
OF_PERSON = f"(p.point_sex IS NOT NULL OR {OF_AGE})"
"""SQL of those that limit by sex or age."""
