"""How fast the checker is beside a hand-written query, pandas and row engines, on the same generated data."""
