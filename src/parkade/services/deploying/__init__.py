"""How deployments are carried out: each step, what undoes it, and the walk from one to the next.

results     what an attempt at a step comes to
desk        what steps work with
looking     look
configs     config, clean up
scalings    scaling off, scaling on, scaling back
fleets      bring up, wait, check
turning     roll back
settling    settle
telling     notify
walk        takes one deployment from step to step
rehearsing  what would be done
"""
