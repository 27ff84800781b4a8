"""The only places that start things."""
