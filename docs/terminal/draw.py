#!/usr/bin/env python3
"""The picture of a terminal in the README: a real run, recorded with its colours, and drawn.

    docs/terminal/draw.py --record MAINSTAY SERVER   records it anew, on a throwaway machine with systemd (needs root), and draws it
    docs/terminal/draw.py                            draws what was recorded
    docs/terminal/draw.py --check                    says whether the picture is what was recorded

SERVER is the program of tests/programs/server.rs.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).parent
MACHINE = HERE.parent.parent / "tests/systems/machine"
COLUMNS, LINE, LETTER, TOP, LEFT = 104, 19, 8.43, 46, 16
# The usual eight of a terminal, as far as they occur.
COLOURS = {31: "#ff7b72", 32: "#56d364", 33: "#e3b341", 36: "#56d4dd"}
MANIFEST = """{
  "name": "web",
  "package": { "name": "server" },
  "service": {
    "command": ["{package}/bin/server", "--port", "8000"],
    "ready": { "http": "http://127.0.0.1:8000/health" }
  }
}
"""
TYPED = [
    "mainstay install --from server-1.0.0.tar.gz",
    "mainstay status",
    "mainstay upgrade --from server-1.1.0.tar.gz --yes",
    "mainstay upgrade --from server-1.2.0.tar.gz --yes",
    "mainstay list",
]


def archive(folder, version, program):
    """An archive of a version; of the third, which never works, if there is no program."""
    with tempfile.TemporaryDirectory() as source:
        file = pathlib.Path(source, "server")
        if program:
            shutil.copy(program, file)
        else:
            file.write_text("#!/bin/sh\necho 'no such column: colour' >&2\nexit 7\n")
        file.chmod(0o755)
        with tarfile.open(folder / f"server-{version}.tar.gz", "w:gz") as archive_file:
            archive_file.add(file, f"server-{version}/bin/server")


def record(mainstay, server):
    with tempfile.TemporaryDirectory() as folder:
        packages = pathlib.Path(folder, "packages")
        packages.mkdir()
        for version, program in [("1.0.0", server), ("1.1.0", server), ("1.2.0", None)]:
            archive(packages, version, program)
        pathlib.Path(folder).chmod(0o755)
        environment = os.environ | {
            "MAINSTAY_BIN": os.path.abspath(mainstay),
            "MAINSTAY_PACKAGES": str(packages),
            "MAINSTAY_MACHINES": f"/run/mainstay-terminal-{os.getpid()}",
        }

        def machine(*words, text=None):
            done = subprocess.run([MACHINE, *words], env=environment, input=text, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            return done.stdout

        def typed(line, text=None):
            shell = f"mkdir -p ~/web && cd ~/web && export CLICOLOR_FORCE=1 COLUMNS={COLUMNS} && {line}"
            return machine("exec-user", "terminal", "alice", "--", "sh", "-c", shell, text=text)

        try:
            machine("up", "252", "terminal")
            typed("cat >mainstay.json && cp /srv/packages/* .", MANIFEST)
            said = "".join(f"$ {line}\n{typed(line)}" for line in TYPED)
        finally:
            machine("down", "terminal")
    (HERE / "recorded.txt").write_text(said)


def wrapped(line):
    """The letters of a line, each with its style, in rows that fit."""
    style, letters = (), []
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b"):
            letters += [(letter, style) for letter in part]
            continue
        for code in (int(code or 0) for code in part[2:-1].split(";")):
            style = () if code == 0 else (*style, code)
    return [letters[at:at + COLUMNS] for at in range(0, len(letters), COLUMNS)] or [[]]


def attributes(style):
    colour = next((f' fill="{COLOURS[code]}"' for code in style if code in COLOURS), "")
    return colour + (' font-weight="bold"' if 1 in style else "") + (' opacity="0.65"' if 2 in style else "")


def text_of(row):
    spans, at = [], 0
    while at < len(row):
        style = row[at][1]
        end = next((to for to in range(at, len(row)) if row[to][1] != style), len(row))
        text = escape("".join(letter for letter, _ in row[at:end]))
        # Whatever font a reader has, columns stay where they are.
        place = f'x="{LEFT + at * LETTER:.1f}" textLength="{(end - at) * LETTER:.1f}" lengthAdjust="spacingAndGlyphs"'
        spans.append(f"<tspan {place}{attributes(style)}>{text}</tspan>")
        at = end
    return "".join(spans)


def drawn():
    rows = []
    for line in (HERE / "recorded.txt").read_text().splitlines():
        if line.startswith("$ "):
            rows += [[], *wrapped(f"\x1b[2m$\x1b[0m \x1b[1m{line[2:]}\x1b[0m")]
        else:
            rows += wrapped(line)
    rows = rows[1:]
    width, height = round(2 * LEFT + COLUMNS * LETTER), TOP + LINE * len(rows) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="A terminal">',
        "<style>text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #e6edf3; white-space: pre }</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        *(f'<circle cx="{20 + 20 * index}" cy="18" r="6" fill="#30363d"/>' for index in range(3)),
    ]
    for index, row in enumerate(rows):
        if row:
            lines.append(f'<text y="{TOP + LINE * index}" xml:space="preserve">{text_of(row)}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def main():
    picture = HERE / "terminal.svg"
    if sys.argv[1:] == ["--check"]:
        good = picture.exists() and picture.read_text() == drawn()
        print(f"{'ok' if good else 'not ok'} - the picture of a terminal is what was recorded")
        return not good
    if len(sys.argv) == 4 and sys.argv[1] == "--record":
        record(*sys.argv[2:])
    picture.write_text(drawn())
    return False


sys.exit(main())
