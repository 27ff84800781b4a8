"""Asking endpoints by cases, side by side, and by load in steps; see docs/design/tester.md."""
