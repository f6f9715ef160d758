"""Floor 1: runbook and estate files, from bytes to frozen models, and what may be wrong with them.

It imports `handrail.base`, tomli and pydantic, and nothing else; no other floor imports pydantic.
Nothing here opens a connection or knows what has happened in a run.
"""
