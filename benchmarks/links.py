"""R2: 100,000 guesses open nothing, and a dead link takes as long as one that never was.

Guesses are asked of `links.find`, as the pages do, beside as many links that are alive. The time is that of whole
pages, answered in one process: unknown, altered, revoked and expired tokens in turn, so that a slow moment of the
machine meets all of them. The bar is 10 ms between the medians of any two.
"""

import os
import platform
import statistics
import time
from datetime import timedelta

import django

from presessions import devservers

GUESSES = 100_000
ALIVE = 20_000
PAGES = 400  # of each sort
BAR = 10  # ms


def main():
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder) as postgres,
    ):
        os.environ.update(environment, DATABASE_URL=postgres.url, DJANGO_SETTINGS_MODULE="presessions.settings")
        django.setup()
        measure()


def measure():
    import logging

    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing has been collected here
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.SECURE_SSL_REDIRECT = False
    logging.getLogger("django.request").setLevel(logging.ERROR)  # each dead link would be a line
    call_command("migrate", verbosity=0)
    dead, hits, seconds = set_up(), 0, time.perf_counter()
    hits = guess()
    seconds = time.perf_counter() - seconds
    print(f"links: {hits} hits in {GUESSES} guesses beside {ALIVE} living links, {GUESSES / seconds:.0f} a second")
    medians = {sort: statistics.median(times) for sort, times in fetch(dead).items()}
    for sort, median in medians.items():
        print(f"links: {median:6.2f} ms for a dead link that is {sort}")
    gap = max(medians.values()) - min(medians.values())
    print(f"links: {gap:.2f} ms between the medians (bar {BAR}), {PAGES} pages of each, {platform.machine()}")
    assert hits == 0
    assert gap <= BAR


def set_up():
    """Many living links of one invitation to one mission; {sort: token} for those that are dead."""
    import hashlib
    from datetime import date

    from django.utils import timezone

    from missions.models import Invitation, PermanentMission
    from presessions.mail import links
    from presessions.mail.models import PersonalLink
    from presessions.upr.models import Series, State, WorkingGroupSession

    now = timezone.now()
    state = State.objects.create(iso2="KE", iso3="KEN", m49="404", name_en="Kenya", regional_group="African")
    mission = PermanentMission.objects.create(code="KE", state=state)
    invitations = []
    for number, year in ((54, now.year + 1), (20, 2014)):  # the second one has ended long ago
        session = WorkingGroupSession.objects.create(
            number=number, starts_on=date(year, 5, 4), ends_on=date(year, 5, 15)
        )
        series = Series.objects.create(session=session)
        invitations.append(Invitation.objects.create(mission=mission, series=series, created_at=now))
    living, ended = invitations
    PersonalLink.objects.bulk_create(
        PersonalLink(
            purpose="invitation",
            target_id=living.reference,
            token_hash=hashlib.sha256(links.new_token().encode()).digest(),
            made_at=now,
        )
        for _ in range(ALIVE)
    )
    revoked = links.mint("invitation", living.reference, letter=None, now=now)
    links.revoke("invitation", living.reference, now)
    PersonalLink.objects.exclude(token_hash=hashlib.sha256(revoked.encode()).digest()).update(revoked_at=None)
    alive = links.mint("invitation", living.reference, letter=None, now=now)
    assert links.find(alive, "invitation", now=now)
    return {
        "unknown": links.new_token(),
        "altered": alive[:-2] + ("AA" if alive[-2:] != "AA" else "BA"),
        "revoked": revoked,
        "expired": links.mint("invitation", ended.reference, letter=None, now=now - timedelta(days=999)),
    }


def guess():
    from django.utils import timezone

    from presessions.mail import links

    now = timezone.now()
    return sum(links.find(links.new_token(), "invitation", now=now) is not None for _ in range(GUESSES))


def fetch(dead):
    """{sort: milliseconds of each page}, all sorts in turn."""
    from django.test import Client

    browser, times = Client(), {sort: [] for sort in dead}
    for turn in range(PAGES + 20):
        for sort, token in dead.items():
            began = time.perf_counter()
            answer = browser.get(f"/en/invitation/{token}/")
            took = (time.perf_counter() - began) * 1000
            assert answer.status_code == 404, sort
            if turn >= 20:  # the first ones warm up
                times[sort].append(took)
    return times
