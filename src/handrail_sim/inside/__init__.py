"""What runs inside the namespaces: the zygote and each host's pid 1.

It runs under `python -I -S` with an empty environment and one thread, so it may import the standard library only.
"""
