"""Dashboards in the forms of other programs."""
