"""Events by running a program."""
