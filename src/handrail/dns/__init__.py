"""Floor 3: DNS, from looking a name up to moving it. It knows nothing of runbooks, journals or SSH.

Inside this package `import dns.message` means dnspython; ours is always written `handrail.dns`. Nothing here reads
/etc/resolv.conf but `system.system_answer`, and nothing is imported by this file: dnspython is slow to load.
"""
