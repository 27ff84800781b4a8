"""The serving project: what one file describes, and how that differs from what is there."""
