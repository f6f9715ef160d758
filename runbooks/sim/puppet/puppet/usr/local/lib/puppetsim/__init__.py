"""Light stand-ins for Puppet 7: real certificates, real mutual TLS, the same files, addresses, words and exit codes.

They compile no catalogs. What was measured on real servers and is kept here: a server with an empty CA folder makes a new
CA of the same name; status pages say "running" whatever its certificates are worth; `puppetserver ca` acts on whatever
the name resolves to; a server does not see that its CA folder was exchanged for another until it is told to reload.
"""
