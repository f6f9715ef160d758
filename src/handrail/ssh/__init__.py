"""Floor 3, the door to the hosts: connections and remote jobs that run exactly once. It knows nothing of runbooks and runs."""

from handrail.base.library_search import search_swiftly

search_swiftly()  # before anything here imports asyncssh
