"""Databases as inputs: what a query gives becomes a Parquet file of the scan's own, and is read as any other."""
