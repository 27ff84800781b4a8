"""Variants of one endpoint side by side: what they were asked, how they did, how sure that is.

`quantiles` tells latencies from histograms, `verdicts` which of two has fewer errors, `pairs` whether two
gave the same answers to the same requests.
"""
