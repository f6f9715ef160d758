"""What is said about problems with estates, and with a runbook on an estate."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "role-hosts": """\
A role has either one host or a list of them.

    [roles.dr]
    host = "192.0.2.20"

    [roles.clients]
    hosts = ["web01", "web02:2222"]""",
    "host-twice": """\
Results, jobs and files are told apart by the host's name, so two hosts cannot share one, and a host of many cannot be
called like a role.

    hosts = [{ name = "web01-ams", host = "192.0.2.21" }, { name = "web01-lhr", host = "192.0.2.31" }]""",
    "known-hosts": """\
An estate says where its pinned host keys are; there is no fallback to your own known_hosts and no "accept on first
use". `handrail trust` shows the fingerprints and writes the file.

    [estate]
    known_hosts = "known_hosts\"""",
    "dns-servers": """\
A change of a name is done when every authoritative server agrees, so all of them are listed. The first takes the
updates.

    servers = ["192.0.2.53", "192.0.2.54"]""",
    "dns-key": """\
Updates after RFC 2136 are signed. The key is in BIND's own format, as `tsig-keygen` writes it, mode 0600.

    key_file = "dr-switch.key\"""",
    "dns-command": """\
The provider `command` calls programs of yours: one prints the addresses now, one makes the change. Each is a list;
there is no shell.

    read = ["./dns-read", "{{ name }}"]
    change = ["./dns-change", "{{ name }}", "{{ from }}", "{{ to }}", "{{ ttl }}"]""",
    "hosts-command": """\
The program that prints a role's hosts failed, or took longer than 20 seconds. Run it by hand in the estate's folder.

    [roles.clients]
    hosts = { command = ["./list-clients"] }""",
    "hosts-from": """\
A role takes its hosts from one place: a file, a program, or an Ansible inventory.

    hosts = { file = "web-hosts.txt" }
    hosts = { command = ["./list-web-hosts"] }
    hosts = { ansible = "inventory.json", group = "webservers" }""",
    "hosts-none": """\
The file, the program or the group is there, and holds no host. A failover without clients would prove nothing.

    ansible-inventory --graph""",
    "hosts-many": """\
Every host of a role may be asked over a connection of its own; more than 5,000 is a mistake rather than an estate.

    hosts = { ansible = "inventory.json", group = "canaries" }""",
    "ansible": """\
The inventory is the JSON that Ansible prints; the group is the role's name unless another is given.

    ansible-inventory --list > inventory.json

    hosts = { ansible = "inventory.json", group = "webservers" }""",
    "role-missing": """\
The runbook speaks to a role that the estate does not have. The estate's role may have another name.

    [roles.dr]
    host = "192.0.2.20\"""",
    "role-shape": """\
The runbook says whether a role is one host or many, and the estate has it the other way.

    roles = { clients = "many" }       # in the runbook
    hosts = ["web01"]                  # in the estate: a list, even of one""",
    "dns-missing": """\
The runbook changes a name, and the estate does not say where that is done and checked.

    [dns]
    provider = "rfc2136"
    zone = "example.test"
    servers = ["192.0.2.53", "192.0.2.54"]
    key_file = "dr-switch.key\"""",
    "host-moves": """\
The host is reached by the name that the runbook switches: before the switch that is one machine, afterwards another, and
the console would go on with the wrong one. Hosts are reached by management names or addresses, in the estate and in an
ssh_config's HostName; jump hosts as well.

    [roles.primary]
    host = "192.0.2.10\"""",
    "unknown-setting": """\
`--set` gives a value to one of the runbook's variables, and it has none of this name.

    handrail plan app-failover --estate production.toml --set fqdn=app.example.test""",
    "unknown-runbook": """\
A runbook is named by its file or by its id. Ids are looked up in this folder, in its `runbooks`, and among those that
come with the program.

    handrail plan ./failover.toml --estate production.toml
    handrail plan app-failover --estate production.toml""",
    "sim-door": """\
A port of a simulated host is written with its protocol.

    ready = ["tcp:8140"]""",
    "var-type": """\
The value is not of the type that the runbook declares for the variable.

    [vars.fqdn]
    type = "fqdn"            # fqdn, ip, path, int, duration, choice, text, secret""",
}
