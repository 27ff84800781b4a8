"""Events by e-mail."""
