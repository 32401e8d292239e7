"""Any input becomes facts (line, settlement, visit, diagnosis) and rejects."""
