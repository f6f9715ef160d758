"""Floor 3: what stays on disk. Journal, lock, run folder, output spool and home; it imports handrail.base only.

It may not know what an event means, ask a host anything, or show text: it keeps and gives back what others decided.
"""
