"""A scan [事后审核]: files in, findings on disk, counts that add up."""
