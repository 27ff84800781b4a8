"""Pictures of what testers measured: SVG, and pages that need nothing beside them. Pure."""
