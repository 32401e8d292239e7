"""The engines that run the SQL of rules, by name, and what one of them needs to be told before."""

DUCKDB, SPARK = "duckdb", "spark"
ENGINES = (DUCKDB, SPARK)
_OPTIMIZER = "org.apache.spark.sql.catalyst.optimizer"
SPARK_SETTINGS = {
    "spark.sql.optimizer.excludedRules": ",".join(
        f"{_OPTIMIZER}.{rule}"
        for rule in (
            "CollapseProject",
            "PushDownPredicates",
            "PushPredicateThroughNonJoin",
            "InferFiltersFromConstraints",
        )
    ),
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
}
"""Spark would put the steps of a query into one another, until planning those of rules about persons takes all memory there is."""
