"""A run as workbooks for people: one of the whole, or one for each institution."""
