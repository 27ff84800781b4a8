"""Use cases on ports alone."""
