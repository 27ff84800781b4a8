"""Events by HTTP POST."""
