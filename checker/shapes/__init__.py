"""How facts and points meet: one folder a shape, each with its limits, columns, reasons and two SQL texts."""
