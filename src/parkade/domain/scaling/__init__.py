"""Scaling: how many instances of a variant, or copies of a component, there are to be.

    target      what is scaled, between which bounds, and what of that is suspended
    policy      by which metric, or by which steps
    tracking    the decision of one policy: target tracking
    stepping    the same for step scaling
    deciding    what comes of all policies of a target together
    timetable   scheduled actions: at, rate, cron
    activity    what was done about it, and what was not, and why

All of it is pure: no clock is read and nothing is changed.
"""
