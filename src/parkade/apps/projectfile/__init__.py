"""parkade.yaml: the serving project in one file, read on the client and laid out by the server."""
