"""The control process: management API, sweep loop, worker keeper."""
