"""The simulated estate: a program of its own, started and never imported by the console.

It may import `handrail.base` and `handrail.runbook` only.
"""
