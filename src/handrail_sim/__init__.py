"""The simulated estate: a program of its own, started and never imported by the console.

It may import `handrail.base` and `handrail.runbook` only.
"""

from handrail.base.library_search import search_swiftly

search_swiftly()  # before anything here imports asyncssh
