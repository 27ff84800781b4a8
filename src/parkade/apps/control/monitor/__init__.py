"""The monitor: what gateways, containers and the machine tell becomes stored series.

`Monitor` (monitor.py) holds the parts together and beats once a second of the lease clock. `Collector`
(collector.py) takes gateways' reports; `Accounts` (accounts.py) adds up samples by period until the
`Flusher` (flusher.py) has stored them. `Knowledge` (knowledge.py) knows since when nothing was missed,
`Quiet` (quiet.py) since when something is without use; `KnownUsage` (usage.py) answers by both: it is
the usage port. See docs/design/monitor.md.
"""
