"""The only place that runs rule SQL."""
