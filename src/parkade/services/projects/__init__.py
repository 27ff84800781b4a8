"""The serving project: planned, applied part by part, destroyed."""
