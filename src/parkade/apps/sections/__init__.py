"""The sections of server.yaml, each with its defaults, units and reasons."""
