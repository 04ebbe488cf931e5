"""A deploy folder and a root of the tool's own on the Windows of Wine, and what is asked of the tool there."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.request

BUILT = pathlib.Path(os.environ["MAINSTAY_WINDOWS"])
DRIVE = pathlib.Path(os.environ["WINEPREFIX"]) / "drive_c"
FULL = os.environ.get("MAINSTAY_FULL") == "1"
os.environ.setdefault("WINEDEBUG", "-all")


class Report:
    """The lines that tell what was checked."""

    number = 0
    failed = False

    @classmethod
    def tell(cls, good, what, why=""):
        cls.number += 1
        cls.failed |= not good
        print(f"{'ok' if good else 'not ok'} {cls.number} - {what}", flush=True)
        if not good and why:
            print("# " + str(why).replace("\n", "\n# "), flush=True)

    @classmethod
    def end(cls):
        print(f"1..{cls.number}")
        raise SystemExit(int(cls.failed))


class Fault(Exception):
    """Something is not as it has to be."""


def add_libraries():
    """Programs start from where the tool has put them: what Wine lacks lies with its own libraries."""
    system = DRIVE / "windows/system32"
    for library in BUILT.glob("*.dll"):
        if not (system / library.name).exists():
            shutil.copy(library, system)


class Place:
    """A root, a deploy folder and a port of its own."""

    def __init__(self, deploy="deploy", name="web", platform="embedded"):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="mainstay-", dir=DRIVE))
        self.root, self.deploy = self.top / "root", self.top / deploy
        self.root.mkdir()
        self.deploy.mkdir(parents=True)
        self.name, self.platform = name, platform
        self.port = random.randrange(20000, 60000)
        self.variables = {}

    def windows(self, path):
        return "C:\\" + str(path.relative_to(DRIVE)).replace("/", "\\")

    def manifest(self, service, component="server"):
        package = {"name": component}
        text = {"name": self.name, "platform": self.platform, "package": package, "service": service}
        (self.deploy / "mainstay.json").write_text(json.dumps(text))

    def serve(self, settings=None):
        """Declares the sample server."""
        service = {
            "command": ["{package}/bin/server.exe", "--port", str(self.port)],
            "ready": {"http": f"http://127.0.0.1:{self.port}/health", "timeout": "20s"},
            # Wine delivers no Ctrl-Break, so that without a hook each stop would last its whole time.
            "stop": {"http": f"http://127.0.0.1:{self.port}/shutdown", "timeout": "3s"},
        }
        self.manifest(service | (settings or {}))

    def archive(self, version, program="server", broken=False):
        """A package of a sample program, or of one that lies here, or of what is none and so ends at once."""
        path = self.top / f"{program}-{version}.tar.gz"
        source = self.top / f"source-{version}"
        (source / "bin").mkdir(parents=True, exist_ok=True)
        if broken:
            (source / f"bin/{program}.exe").write_bytes(b"MZ, and nothing more")
        else:
            here = self.top / f"{program}.exe"
            shutil.copy(here if here.exists() else BUILT / f"examples/{program}.exe", source / "bin")
        for library in BUILT.glob("*.dll"):
            shutil.copy(library, source / "bin")
        (source / "words").write_text(f"words of {version}")
        (source / "mainstay-package.json").write_text(json.dumps({"component": program, "version": version}))
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            archive.add(source, arcname=".")
        return self.windows(path)

    def start(self, words, before=()):
        environment = dict(os.environ, MAINSTAY_ROOT=self.windows(self.root), RUST_BACKTRACE="0", **self.variables)
        self.output = open(self.top / "output", "w+b")
        # Elsewhere the folder is named: Windows takes no long path for the folder of a process.
        here = len(self.windows(self.deploy)) < 200
        place = [] if here else ["--instance-dir", self.windows(self.deploy)]
        return subprocess.Popen(
            [*before, "wine", str(BUILT / "mainstay.exe"), *words, *place],
            cwd=self.deploy if here else self.top,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace").replace("\r", "")

    def ended(self, *words):
        """What the tool ends with."""
        process = self.start(words)
        try:
            return process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "nothing: it hangs"

    def run(self, *words, code=0):
        ended = self.ended(*words)
        if ended != code:
            raise Fault(f"`{' '.join(words)}` ended with {ended}, not {code}:\n{self.said()}")
        return self.said()

    def answers(self, path="version"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=3) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def await_answer(self, seconds=30):
        return awaited(lambda: self.answers() is not None, seconds)

    def remove(self):
        for words in (("stop",), ("uninstall", "--purge", "--yes")):
            self.ended(*words)
        shutil.rmtree(self.top, ignore_errors=True)


def awaited(what, seconds=30):
    """What comes of a question within a time: its first answer that says something."""
    until = time.monotonic() + seconds
    while True:
        answer = what()
        if answer or time.monotonic() > until:
            return answer
        time.sleep(0.05)
