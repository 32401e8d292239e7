"""What a scan hands on besides its findings: the case around each, clusters, data quality, and what all is counted against."""
