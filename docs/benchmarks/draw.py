#!/usr/bin/env python3
"""Draws the plots of docs/benchmarks.md from docs/benchmarks/measured.json, and that of docs/fleet.md from fleet.json.

    docs/benchmarks/draw.py            writes them
    docs/benchmarks/draw.py --check    says whether they are what it would write, and whether the page has every figure
"""

import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).parent
WIDTH, LEFT, ROW, RIGHT = 760, 330, 30, 90
STYLE = """text { font: 14px system-ui, sans-serif; fill: #24292f } .small { font-size: 12px; fill: #57606a }
.bar { fill: #8c959f } .ours { fill: #00796b } .over { fill: #bc4c00 } .mark { stroke: #24292f; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .small { fill: #9198a1 } .bar { fill: #6e7681 }
.ours { fill: #4db6ac } .over { fill: #ffa657 } .mark { stroke: #e6edf3 } }"""


def number(value):
    return f"{value:g}" if value < 1000 else f"{value:,.0f}"


def picture(title, note, rows):
    height = 64 + ROW * len(rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text x="8" y="22" font-weight="600">{escape(title)}</text>',
        f'<text class="small" x="8" y="42">{escape(note)}</text>',
    ]
    for index, row in enumerate(rows):
        y = 56 + ROW * index
        lines.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(row["what"])}</text>')
        lines.append(f'<rect class="{row["kind"]}" x="{LEFT}" y="{y + 3}" width="{max(row["length"], 1):.1f}" height="18" rx="2"/>')
        if "mark" in row:
            lines.append(f'<line class="mark" x1="{row["mark"]:.1f}" x2="{row["mark"]:.1f}" y1="{y}" y2="{y + 24}"/>')
        end = max(LEFT + row["length"], row.get("mark", 0)) + 8
        lines.append(f'<text class="small" x="{end:.1f}" y="{y + 16}">{escape(row["label"])}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def budgets(rows):
    unit = (WIDTH - LEFT - RIGHT - 60) / 1.3

    def row(given):
        share = given["ratio"] / given["budget"]
        label = f"{number(given['ratio'])} of {number(given['budget'])}"
        kind = "over" if share > 1 else "ours"
        return {"what": given["what"], "kind": kind, "length": unit * share, "mark": LEFT + unit, "label": label}

    return picture("Each ratio beside its budget", "The line is the budget; less is better.", [row(given) for given in rows])


def bars(title, note, rows, unit):
    most = max(row["value"] for row in rows)

    def bar(row):
        kind = "ours" if row["what"].startswith("mainstay") else "bar"
        length = (WIDTH - LEFT - RIGHT) * row["value"] / most
        return {"what": row["what"], "kind": kind, "length": length, "label": f"{number(row['value'])}{unit}"}

    return picture(title, note, [bar(row) for row in rows])


def seconds_of(line, hosts):
    """What the model of docs/fleet.md says: the start, and whichever is slowest, the controller's work or the hosts'."""
    work = hosts * max(line["controller"] / line["cores"], line["thread"])
    return line["start"] + max(work, math.ceil(hosts / line["forks"]) * line["host"])


def curve(title, note, lines, points):
    """Times over numbers of hosts, both by powers of ten."""
    left, top, wide, high, most = 70, 60, 480, 300, 5

    def place(hosts, seconds):
        return left + wide * math.log10(hosts) / 4, top + high * (1 - math.log10(max(seconds, 1)) / most)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 40} {top + high + 50}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE} .line {{ fill: none; stroke-width: 2 }} .one {{ stroke: #00796b }} .two {{ stroke: #bc4c00 }} "
        ".three { stroke: #8c959f } .grid { stroke: #8c959f; stroke-width: 0.3 }</style>",
        f'<text x="8" y="22" font-weight="600">{escape(title)}</text>',
        f'<text class="small" x="8" y="42">{escape(note)}</text>',
    ]
    for power in range(5):
        x, _ = place(10 ** power, 1)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + high}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{top + high + 18}" text-anchor="middle">{10 ** power:,}</text>')
    for power, word in enumerate(["1 s", "10 s", "100 s", "17 min", "3 h", "28 h"]):
        _, y = place(1, 10 ** power)
        parts.append(f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="small" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{word}</text>')
    free = top + high + 20
    for line in sorted(lines, key=lambda line: seconds_of(line, 10_000)):
        way = [place(10 ** (step / 20), seconds_of(line, round(10 ** (step / 20)))) for step in range(81)]
        parts.append(f'<polyline class="line {line["colour"]}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in way)}"/>')
        # From the lowest upwards, none on top of another.
        free = min(way[-1][1] + 4, free - 14)
        parts.append(f'<text class="small" x="{way[-1][0] + 8:.1f}" y="{free:.1f}">{escape(line["what"])}</text>')
    for point in points:
        x, y = place(point["hosts"], point["seconds"])
        kind = "ours" if point["who"] == "mainstay" else "bar"
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    parts.append(f'<text class="small" x="{left + wide / 2}" y="{top + high + 38}" text-anchor="middle">hosts</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def drawn():
    data = json.loads((HERE / "measured.json").read_text())
    of = f"measured on {data['measured']}; less is better"
    return data, {
        "budgets.svg": budgets(data["against_budgets"]),
        "upgrade.svg": bars("A whole upgrade of the same files", f"Seconds until the first answer, {of}",
                            data["upgrade_seconds"], " s"),
        "memory.svg": bars("Memory of a supervisor at rest", f"PSS of its processes beside one that sleeps, {of}",
                           data["memory_megabytes_at_rest"], " MB"),
        "wakeups.svg": bars("Wake-ups of a supervisor at rest", f"In 60 s, {of}", data["wakeups_per_minute_at_rest"], ""),
    }


def fleet():
    """The picture of docs/fleet.md, and every figure that the page has to have."""
    data = json.loads((HERE / "fleet.json").read_text())
    text = curve("Many hosts: how long one order takes", "Points are measured, lines are computed from them; both axes by powers of ten",
                 data["lines"], data["points"])
    computed = [number(round(seconds_of(line, 10_000), -1)) for line in data["lines"]]
    return text, [*(number(point["seconds"]) for point in data["points"]), *computed]


def fleet_faults():
    text, figures = fleet()
    page, file = (HERE.parent / "fleet.md").read_text(), HERE / "fleet.svg"
    if not file.exists() or file.read_text() != text:
        yield "fleet.svg is not what the figures say: docs/benchmarks/draw.py writes it anew"
    yield from (f"{figure} is not in docs/fleet.md" for figure in figures if f" {figure}" not in page)


def faults(data, pictures):
    page = (HERE.parent / "benchmarks.md").read_text().replace(",", "")
    for name, text in pictures.items():
        file = HERE / name
        if not file.exists() or file.read_text() != text:
            yield f"{name} is not what the figures say: docs/benchmarks/draw.py writes it anew"
        if f"(benchmarks/{name})" not in page:
            yield f"docs/benchmarks.md does not show {name}"
    for row in [row for rows in data.values() if isinstance(rows, list) for row in rows]:
        figures = [str(value) for key, value in row.items() if key != "what"]
        yield from (f"{figure} ({row['what']}) is not in docs/benchmarks.md" for figure in figures
                    if f" {figure.removesuffix('.0')}" not in page and f"**{figure}" not in page and f"({figure}" not in page)


def main():
    data, pictures = drawn()
    if sys.argv[1:] == ["--check"]:
        found = [*faults(data, pictures), *fleet_faults()]
        print("\n".join(f"# {fault}" for fault in found), end="\n" if found else "")
        print(f"{'not ok' if found else 'ok'} - the plots show the figures of the page")
        return bool(found)
    for name, text in pictures.items():
        (HERE / name).write_text(text)
    (HERE / "fleet.svg").write_text(fleet()[0])
    return False


sys.exit(main())
