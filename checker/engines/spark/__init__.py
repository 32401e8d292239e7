"""Spark hands the parts of a scan to the workers of a cluster, and those of a worker that is lost to another; each is answered by DuckDB, as anywhere."""
