"""Prometheus' view of Parkade: what `/metrics` tells, in families of samples.

`picture.py` takes what there is, on the control process's loop; `families.py`, `latencies.py`,
`routes.py`, `owed.py` and `minutes.py` make samples of it, and `page.py` writes them, in a thread. The names are listed in
docs/monitoring.md; a test holds the page, the Grafana dashboard and the real output together.
"""
