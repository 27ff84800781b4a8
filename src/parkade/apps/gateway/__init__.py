"""The gateway process: the one public door, and the data plane."""
