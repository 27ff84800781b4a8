"""Testers: cases that are asked of an endpoint or a route, and what came of them."""
