"""The embedded cloud: ports answered by the runtime on this machine."""
