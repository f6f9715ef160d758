"""Explanations of the codes that floors above the runbook raise; importing it registers them."""

from __future__ import annotations

from typing import Final

from handrail.runbook.explain import register

TEXTS: Final = {
    "drill-on-real": "A drill touches simulated hosts only. Whether an estate is simulated is told by the host keys that its "
    "known_hosts pins: every key a simulated estate ever had is remembered. Use `handrail run` or `handrail check` for real hosts.",
    "live-on-simulated": "LIVE and CHECK never touch simulated hosts. A key pinned in this estate's known_hosts belongs to a "
    "simulated estate. Use `handrail drill`, or pin the real hosts' keys with `handrail trust`.",
    "folders-only-shipped": "Without namespaces the simulated hosts are plain folders: a command could reach this machine. "
    "So only the runbooks that ship with Handrail may be drilled there. `handrail doctor` says what refuses namespaces.",
    "no-simulated-estate": "A drill needs a template with the runbook's roles: an estate file with [roles.X.sim] tables, at "
    "sim/NAME/estate.toml beside the runbook. runbooks/sim/puppet is an example.",
    "scenario-needs": "A scenario that fills a disk needs hosts that are machines of their own. Where the kernel refuses "
    "namespaces, the simulated estate runs in plain folders, and such a scenario would fill the disk of this machine: it is not "
    "begun. `handrail doctor` says what refuses namespaces.",
    "estate-gone": "A drill that came to an end takes its simulated estate with it: it cannot be undone or resumed any more. "
    "A drill that is held keeps its estate.",
    "ssh-become": "sudo on that host takes none of the passwords it was given, or nobody could be asked. Nothing ran there. Try again "
    "to be asked again; without a person give it with --sudo-password @FILE, or let sudo ask for none.",
    "ssh-identity": "A private key cannot be used: it is not there, or wants a passphrase that nobody gave. `ssh-add` puts it into an "
    "agent; on a terminal Handrail asks.",
    "ssh-auth": "The host does not let that user in with these keys. If it asks for a code too, somebody has to be there.",
    "secret-source": "A secret is never given as a value: everybody could see it in `ps`. Write --secret NAME=@FILE for a file "
    "that only you may read, or --secret NAME=!PROGRAM for what a program prints.",
    "missing-value": "A variable of the runbook has no value. Secrets are in no file of a run: `resume` and `undo` ask again.",
    "run-locked": "Another console drives this run. Watch it, or ask its operator for it: `handrail resume --note WORDS`. Unanswered "
    "for 30 s, their name and a reason take it over, and from then on their console can send nothing.",
    "not-asked": "Whoever drives a run is asked before it is taken, and has 30 s to answer; only a process that is gone need not be. "
    "`handrail resume`, or `r` on home, asks and waits.",
    "declined": "Whoever drives the run was asked, and goes on driving. Call them; or watch, and ask again later.",
    "no-answer": "Whoever drives the run was asked, and did not answer in time. It may be taken now, with their name and a reason.",
    "takeover-refused": "Taking a run from a console that lives takes its operator's name, letter by letter, and a reason.",
    "superseded": "Another console took this run over: this one can send nothing more, the hosts refuse it as well. Look on with "
    "`handrail watch`.",
    "run-closed": "The run was closed with a reason: nobody drives it any more. Its report says what stays changed and owed.",
    "undrilled": "LIVE at a digest (the file's bytes) that was never drilled asks one typed reason, which stays on screen and in "
    "the report; without a terminal it is refused.",
    "not-approved": "The runbook says `approvals`: so many others must have signed for a LIVE run. A colleague reviews the plan and "
    "signs with `handrail approve`, on a home that both share; it covers digest, estate, route and inputs, and ends by itself.",
    "not-counted": "The approval was signed, and counts for nothing: the estate's allowed_signers does not hold that name with that "
    "key. Add the line that is shown, and sign again.",
    "no-signers": "The estate's [estate] table does not name an allowed_signers file, so nobody's approval could be checked.",
    "journal-damaged": "A record of the journal is not what was written. The run can be read, not resumed. "
    "`handrail audit` names the record. What lists and reports say of it follows from the records before that one.",
    "journal-newer": "A newer Handrail wrote to this journal. This one only reads it: resume with the one that wrote it.",
    "journal-rolled-back": "Records that were once on the disk are missing: the folder was restored from an older copy, or cut.",
    "ssh-host-key-changed": "The host shows another key than the one that is pinned. Either it was reinstalled, or it is another "
    "machine. Compare the fingerprints with somebody who knows; F6 in the briefing then replaces the old one, with a reason.",
    "ssh-fingerprint": "What was typed is not the fingerprint the host shows, so nothing was pinned. Take it from the host's own "
    "console (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), never over the connection that is being compared.",
    "ssh-host-key-unknown": "No key is pinned for this host. `handrail trust ESTATE` shows its fingerprint and pins it.",
    "ssh-unreachable": "The host does not answer. Nothing was sent.",
    "estate": "The simulated estate did not come up. Its folder has estate.log; `handrail doctor` says what works here.",
}

register(TEXTS)
