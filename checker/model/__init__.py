"""What every room speaks of: columns, errors, words, quoting; it knows of nothing above it."""
