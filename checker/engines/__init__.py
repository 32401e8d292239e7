"""The only places that run rule SQL: DuckDB in this process, and on the workers of a cluster."""
