"""Values and records as texts and back, for every store that keeps them as such."""
