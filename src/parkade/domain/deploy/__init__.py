"""Deployments: what is ordered, the steps that carry it out, and what is stored of them."""
