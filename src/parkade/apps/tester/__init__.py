"""One run of a tester in a process of its own; control starts it."""
