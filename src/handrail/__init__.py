"""Handrail: a guided failover console. Importing this package imports nothing else."""

__version__ = "0.1.0"
