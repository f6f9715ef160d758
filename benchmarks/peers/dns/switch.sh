#!/bin/sh
# Switch a name and prove it, with the tools one has: the old value as prerequisite, over TCP, then value and serial read back.
# switch.sh KEYFILE SERVER PORT ZONE NAME OLD NEW TTL
set -e
nsupdate -v -k "$1" <<END
server $2 $3
zone $4
prereq yxrrset $5 A $6
update delete $5 A
update add $5 $8 A $7
send
END
set -- "$(dig +tcp +short "@$2" -p "$3" "$5" A "$4" SOA)" "$7"
case $1 in "$2"*) ;; *) echo "it is not there: $1"; exit 1 ;; esac
