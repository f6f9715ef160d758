"""The look of the HTML report: light, dark and on paper; nothing is told by colour alone. Text of ours, no foreign word."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1a1c1e; --dim: #5b6168; --rule: #c9ced4; --soft: #f2f4f6;
  --good: #24663b; --bad: #a3161f; --unsure: #865300; --mode: #1d4f91; --onmode: #fff; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e4e7ea; --dim: #9aa3ac; --rule: #3a4148;
  --soft: #1e2327; --good: #7fcf98; --bad: #ff8e8e; --unsure: #f0b957; --mode: #7fb2f0; --onmode: #10151b; } }
body { margin: 0; background: var(--bg); color: var(--fg); font: 15px/1.45 system-ui, sans-serif; }
body.live { --mode: #b34700; --onmode: #fff; }
body.rehearsal { --mode: #5e3a9e; --onmode: #fff; }
body.check { --mode: #4d565e; --onmode: #fff; }
.sheet { border-collapse: collapse; width: 100%; max-width: 1180px; margin: 0 auto; }
.sheet > thead > tr > th { position: sticky; top: 0; z-index: 1; padding: .5em 1em; text-align: left;
  background: var(--mode); color: var(--onmode); border: 0; }
.sheet > tbody > tr > td { padding: 0 1em 3em; border: 0; }
h1 { font-size: 1.6em; margin: 1em 0 .4em; }
h2 { font-size: 1.2em; margin: 1.8em 0 .5em; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1em; margin: 1.6em 0 .4em; }
.grid { border-collapse: collapse; width: 100%; }
.grid th, .grid td { text-align: left; vertical-align: top; padding: .25em .9em .25em 0;
  border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
.grid .short, .grid .short code { white-space: nowrap; }
.grid thead th { white-space: nowrap; }
.grid thead th { color: var(--dim); font-weight: 600; }
.facts th { width: 13em; font-weight: 600; color: var(--dim); }
code { font: .92em ui-monospace, monospace; background: var(--soft); padding: .05em .3em; overflow-wrap: anywhere;
  white-space: pre-wrap; }
ul { padding-left: 1.2em; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 700; }
.unsure { color: var(--unsure); font-weight: 700; } .dim { color: var(--dim); }
svg { width: 100%; height: auto; background: var(--bg); }
svg text { font: 12px system-ui, sans-serif; fill: var(--fg); }
svg .dim { fill: var(--dim); } svg .good { fill: var(--good); } svg .bad { fill: var(--bad); }
svg .unsure { fill: var(--unsure); } svg .mode { fill: var(--mode); }
svg .rule { stroke: var(--rule); stroke-width: 1; } svg .line { stroke: var(--fg); stroke-width: 2; }
svg .never { stroke-dasharray: 6 4; }
svg .back { fill: none; stroke-width: 1.5; stroke-dasharray: 3 2; } svg .back.good { stroke: var(--good); }
svg .back.bad { stroke: var(--bad); } svg .back.unsure { stroke: var(--unsure); }
svg .open { fill-opacity: .45; } svg .gap { fill: var(--soft); }
@media print { :root { color-scheme: light; --bg: #fff; --fg: #000; --dim: #444; --rule: #bbb; --soft: #f2f2f2;
  --good: #1d5a33; --bad: #8f0f18; --unsure: #6d4400; }
  body { font-size: 10pt; } .sheet { max-width: none; }
  .sheet > thead { display: table-header-group; }
  .sheet > thead > tr > th { position: static; color: #000; background: #fff; border-bottom: 3px solid #000; }
  h2, h3 { break-after: avoid; } .grid tr, svg { break-inside: avoid; }
  @page { margin: 14mm; } }
"""
