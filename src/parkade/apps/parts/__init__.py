"""The services of the control process, area by area."""
