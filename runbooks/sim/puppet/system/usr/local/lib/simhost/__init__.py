"""What the stand-ins of every simulated host share. Standard library only: these run many times and must start fast."""
