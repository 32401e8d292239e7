"""The knowledge base [知识库]: points, patterns and exemptions, from reviewed text to verified Parquet."""
