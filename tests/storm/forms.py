"""How hard it blows: over how many letters, and how often each thing falls."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Form:
    letters: int
    mailings: int
    most: float = 0.6  # of the letters arrive in the storm, the others after it
    workers: int = 2
    beats: int = 1
    lease: float = 1.5  # seconds; all waits of the mail hang on it

    kill_writers: int = 0  # all who may be writing a mailing, while it is half written
    kill_unanswered: int = 0  # all children of the workers, while some wait to hear of a mail that has been accepted
    kill_child: int = 0  # of a worker: its parent starts another
    kill_worker: int = 0  # the parent; its children die with it
    kill_fallback: int = 0  # `manage.py send_due`
    freeze: int = 0  # SIGSTOP for all children of a worker until after their leases, then SIGCONT
    freeze_holders: int = 0  # the same with letters in their hands, until somebody else has taken those
    flush: int = 0
    restart_redis: int = 0
    restart_sink: int = 0
    restart_beat: int = 0
    crash_postgres: int = 0

    least: dict = field(default_factory=dict)  # of what is counted in the end: the bar of the promise

    AIMED = {"kill_writers": 0, "kill_unanswered": 0.5, "freeze_holders": 0.75}  # and where the first of several falls
    AT_RANDOM = (
        "kill_child",
        "kill_worker",
        "kill_fallback",
        "freeze",
        "flush",
        "restart_redis",
        "restart_sink",
        "restart_beat",
        "crash_postgres",
    )

    @property
    def is_calm(self):
        return not any(getattr(self, kind) for kind in (*self.AIMED, *self.AT_RANDOM))


SHORT = Form(
    letters=500,
    mailings=3,
    kill_writers=1,
    kill_unanswered=1,
    kill_child=6,
    kill_worker=1,
    freeze_holders=2,
    flush=3,
    restart_redis=1,
    restart_sink=1,
    restart_beat=1,
    crash_postgres=1,
    least={"SIGKILL": 15, "thawed beyond the lease": 3, "mailings held for failures": 1},
)
FULL = Form(
    letters=6000,
    mailings=25,
    most=0.9,
    kill_writers=6,
    kill_unanswered=6,
    kill_child=210,
    kill_worker=24,
    kill_fallback=20,
    freeze=70,  # some are killed in their sleep, and do not wake
    freeze_holders=10,
    flush=60,
    restart_redis=17,
    restart_sink=20,
    restart_beat=17,
    crash_postgres=17,
    least={
        "SIGKILL": 250,
        "thawed beyond the lease": 90,
        "FLUSHALL": 50,
        "Redis restarts": 15,
        "SMTP server restarts": 15,
        "beat restarts": 15,
        "PostgreSQL crashes": 15,
        "of 100 mails, met an SMTP fault": 15,
        "mailings held for failures": 1,
    },
)
CALM = Form(letters=10_000, mailings=9, workers=4, beats=5, lease=60)
