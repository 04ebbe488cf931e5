"""Unpacks archives as Python's own modules do: trees.py FOLDER, in which each NUMBER.archive becomes NUMBER.python.

Prints the numbers of those that it took to the end, a line each.
"""

import pathlib
import sys
import tarfile
import zipfile


def unpack(archive, into):
    if zipfile.is_zipfile(archive) and archive.read_bytes()[:2] == b"PK":
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(into)
        return
    with tarfile.open(archive, "r:gz") as opened:
        # Whose a file is is no part of a package.
        opened.chown = lambda *_, **__: None
        # What comes at once would hide what a stricter reader is meant to find.
        if hasattr(tarfile, "fully_trusted_filter"):
            opened.extraction_filter = staticmethod(tarfile.fully_trusted_filter)
        opened.extractall(into)


for archive in sorted(pathlib.Path(sys.argv[1]).glob("*.archive")):
    into = archive.with_suffix(".python")
    into.mkdir()
    try:
        unpack(archive, into)
    except Exception as error:
        print("# %s: %s" % (archive.name, error), file=sys.stderr)
    else:
        print(archive.stem)
