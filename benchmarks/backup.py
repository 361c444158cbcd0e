"""Backups of 10,000 applications with a file each: how long they take, what a dead disk costs, how long the way back.

deploy/backup.sh and deploy/restore.sh as they are, over a PostgreSQL with durable commits. While `backup.sh run` is at
work a row is written five times a second; then the server is killed and its disk is lost, and all private files with
it. The bars: at most five minutes lost, back within thirty.
"""

import os
import secrets
import shutil
import time

import django

from presessions import devservers

APPLICATIONS = int(os.environ.get("BACKUP_APPLICATIONS", 10_000))
FILE_BYTES = 100_000
BARS = {"lost": 5 * 60, "back": 30 * 60}  # seconds


def main():
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Redis(folder / "redis") as redis,
    ):
        os.environ.update(environment, REDIS_URL=redis.url, MAIL_JOURNAL=str(folder / "journal"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "presessions.settings"
        django.setup()
        from tests import backups

        house = backups.House(folder)
        with house.postgres, backups.django_in(house.postgres.url):
            measure(house)


def measure(house):
    fill(house)
    say(f"{APPLICATIONS:,} applications, each with a file of {FILE_BYTES // 1000} KB")
    timed("the first look at all files, and the first whole copy", lambda: expect(house.backup()))
    timed("a look when nothing is new", lambda: expect(house.backup()))
    for path in sorted((house.backups / "base").glob("2*/*")):
        if path.name in ("cluster", "database.dump"):
            size = sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())
            say(f"{path.name}: {size / 1e6:.0f} MB")

    died, rows, files = lose_everything(house)
    took = timed(
        "the way back", lambda: expect(house.restore("--data", house.postgres.data, "--private", house.private))
    )
    took += timed("PostgreSQL starts", house.postgres.start)
    from presessions.mail.models import Pulse
    from tests import backups

    lost = (died - Pulse.objects.get(part="written").at).total_seconds()
    say(f"lost with the disk: what was written in the last {lost:.1f} s; the bar is {BARS['lost']} s")
    assert {name: facts for name, facts in backups.rows().items() if name != "mail_pulse"} == rows
    assert house.files() == files
    say(f"every row and every file is as it was. Back after {took:.0f} s; the bar is {BARS['back']} s")
    assert lost < BARS["lost"] and took < BARS["back"]


def fill(house):
    from applications.models import Application, Attachment
    from benchmarks import lists

    house.fill()
    lists.set_up()
    lists.fill(APPLICATIONS, since=1)
    now, names = _now(), [secrets.token_hex(16) for _ in range(APPLICATIONS)]
    ids = Application.objects.order_by("pk").values_list("pk", flat=True)
    Attachment.objects.bulk_create(
        [
            Attachment(
                application_id=pk, kind="upr_submission", version=1, state="checked", stored=name, size=FILE_BYTES,
                sha256="0" * 64, uploaded_at=now,
            )
            for pk, name in zip(ids, names, strict=False)
        ]
    )  # fmt: skip
    for name in names:
        path = house.private / name[:2] / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_bytes(os.urandom(FILE_BYTES))


def lose_everything(house):
    """Write while backups run, until nothing is left; (when it died, the rows and files that must come back)."""
    from django.db import connection

    from presessions.mail.models import Pulse
    from tests import backups

    before = backups.rows()
    running = house.begin()
    try:
        deadline = time.time() + 150
        while time.time() < deadline:
            Pulse.objects.update_or_create(part="written", defaults={"at": _now()})
            time.sleep(0.2)
        heard = Pulse.objects.get(part="backup").at
        assert (_now() - heard).total_seconds() < 120, "backup.sh says nothing"
        died = _now()
        files = house.files()
        house.lose_the_disk()
    finally:
        running.terminate()
        running.wait(30)
    connection.close()
    shutil.rmtree(house.private)
    house.private.mkdir(mode=0o700)
    return died, {name: facts for name, facts in before.items() if name != "mail_pulse"}, files


def _now():
    from django.utils import timezone

    return timezone.now()


def expect(done):
    if done.returncode:
        raise SystemExit(done.stdout)


def timed(what, work):
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    say(f"{what}: {took:.1f} s")
    return took


def say(words):
    print(f"backup: {words}", flush=True)
