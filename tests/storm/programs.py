"""The programs of the storm: ours as an operator would start them, and the SMTP server with faults. Each is a process
of its own; its words go to the storm's folder."""

import json
import os
import signal
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from presessions import devservers
from tests.storm.judge import Accepted
from tests.storm.sink import OFFERED, exists

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Program(devservers.Server):
    """One of our own programs, run like a server; its words go to the storm's folder."""

    working_folder = ROOT
    end_with = signal.SIGKILL

    def __init__(self, name, *arguments, folder, environment, port=None):
        self.name, self.arguments, self.environment = name, arguments, environment
        super().__init__(folder, port=port)

    def _command(self):
        return [sys.executable, *map(str, self.arguments)], None

    def _answers(self):
        return True

    def children(self):
        """Their process ids; a worker's are those that deliver."""
        with suppress(OSError):  # it died at this moment
            pid = self.process.pid
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []


def is_stopped(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


class Staff(Program):
    def _answers(self):
        return "ready" in self.log.read_text()

    def resumed(self):
        """How many mailings they have let go on that were held because too many letters failed."""
        return self.log.read_text().splitlines().count("resumed")


class Sink(Program):
    def __init__(self, folder, seed, calm):
        self.counted = self.read = 0  # lines and bytes of the journal
        self.seed, self.journal, self.mood = seed, folder / "journal", ["calm"] if calm else []
        super().__init__("sink", folder=folder, environment=dict(os.environ))

    def _command(self):
        self.arguments = (HERE / "sink.py", self.port, self.journal, self.seed, *self.mood)
        return super()._command()

    def exists(self, address):
        return exists(address, self.seed)

    def be_calm(self):
        self.process.send_signal(signal.SIGUSR1)

    def accepted(self):
        return [Accepted(**json.loads(line)) for line in self.journal.read_text().splitlines()]

    def count(self):
        """How many mails it has accepted. Asked a hundred times a second, so each line is read once."""
        if self.journal.exists():
            with self.journal.open("rb") as journal:
                journal.seek(self.read)
                fresh = journal.read()
            self.counted, self.read = self.counted + fresh.count(b"\n"), self.read + len(fresh)
        return self.counted

    def lately(self):
        """The Message-IDs of the last few mails."""
        with self.journal.open("rb") as journal:
            journal.seek(max(0, self.journal.stat().st_size - 2000))
            return {json.loads(line)["message_id"] for line in journal.read().split(b"\n")[1:-1]}

    def faults(self):
        """(mails offered, faults) while it misbehaved."""
        lines = Counter(self.log.read_text().splitlines())
        return lines[OFFERED], lines.total() - lines[OFFERED]
