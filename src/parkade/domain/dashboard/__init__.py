"""A project's dashboard: rows of panels that follow from its parts, for whoever draws them."""
