/** The look of a dossier: light and dark by the reader's system, and fit for paper. */
export const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee5;--paper:#fff;--tint:#f5f7fa;--accent:#2563eb;--good:#15803d;--bad:#b91c1c}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa4b2;--line:#2d3540;--paper:#12161c;--tint:#1a2029;--accent:#7aa2ff;--good:#4ade80;--bad:#f87171}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:860px;margin:0 auto;padding:32px 20px 64px}
h1{margin:0 0 16px;font-size:28px;line-height:1.2}
h2{margin:40px 0 12px;font-size:18px;border-bottom:1px solid var(--line);padding-bottom:6px}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:10px 20px;margin:0;padding:16px;background:var(--tint);border-radius:10px}
dt{color:var(--soft);font-size:12px}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;font-size:14px;margin:12px 0}
th{text-align:left;color:var(--soft);font-weight:500;font-size:12px}
th,td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;font-variant-numeric:tabular-nums}
code{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
figure{margin:14px 0 6px}
figcaption{font-size:13px;font-weight:600}
small{color:var(--soft);font-weight:400}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font:11px system-ui,sans-serif}
svg text.name{fill:var(--ink);font-size:13px}
.axis{stroke:var(--line)}
.line{fill:none;stroke:var(--accent);stroke-width:1.8;stroke-linejoin:round}
.level{stroke:var(--bad);stroke-dasharray:5 4}
.mark{stroke:var(--soft);stroke-dasharray:2 3}
.dot{fill:var(--accent)}
.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--tint:#f4f4f4;--accent:#1d4ed8;--good:#166534;--bad:#991b1b}main{max-width:none;padding:0}section,figure,tr{break-inside:avoid}h2{break-after:avoid}}
`
