"""C3: nobody can tell from the clock whether an address, a receipt or a link is known.

Every door that anybody may knock at, 300 times for each sort of address, whole answers in one process, all sorts in
turn, so that a slow moment of the machine meets all of them; each address is used once. The bar is 10 ms between the
medians of any two sorts of one door. The answers themselves are compared in tests/promises/test_c3.
"""

import hashlib
import logging
import os
import platform
import statistics
import time
from datetime import date, timedelta

import django

from presessions import devservers

TIMES = int(os.environ.get("TIMES", 300))
WARM_UP = 10
BAR = 10  # ms


def main():
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder / "postgres") as postgres,
        devservers.Redis(folder / "redis") as redis,
    ):
        os.environ.update(environment, DATABASE_URL=postgres.url, REDIS_URL=redis.url)
        os.environ["DJANGO_SETTINGS_MODULE"] = "presessions.settings"
        django.setup()
        measure()


def measure():
    from django.conf import settings
    from django.core.management import call_command

    from applications import throttle

    settings.ALLOWED_HOSTS = ["testserver"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing has been collected here
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.SECURE_SSL_REDIRECT = False
    throttle.CEILING = 10**6
    logging.disable(logging.WARNING)  # each dead link would be a line
    call_command("migrate", verbosity=0)
    worst = 0
    for door, sorts in doors().items():
        medians = {sort: statistics.median(times) for sort, times in knock(sorts).items()}
        for sort, median in medians.items():
            print(f"enumeration: {door:>9} {median:7.2f} ms for {sort}")
        gap = max(medians.values()) - min(medians.values())
        worst = max(worst, gap)
        print(f"enumeration: {door:>9} {gap:7.2f} ms between the medians (bar {BAR}), {TIMES} of each")
    print(f"enumeration: {worst:.2f} ms at worst, {platform.machine()}")
    assert worst <= BAR


def set_up():
    """Two States whose calls are open; a function that gives an aware instant."""
    from django.utils import timezone

    from applications.models import Call, StateCall
    from presessions.upr.models import CountryMeeting, Series, State, StateUnderReview, WorkingGroupSession

    now = timezone.now()
    session = WorkingGroupSession.objects.create(
        number=54, starts_on=date(now.year + 1, 5, 4), ends_on=date(now.year + 1, 5, 15)
    )
    states = [("KE", "KEN", "404", "Kenya"), ("TR", "TUR", "792", "Türkiye"), ("CL", "CHL", "152", "Chile")]
    for iso2, iso3, m49, name in states:
        state = State.objects.create(iso2=iso2, iso3=iso3, m49=m49, name_en=name, regional_group="African")
        StateUnderReview.objects.create(session=session, state=state)
    series = Series.open_for(session, now=now)
    Call.open_for(series, opens_at=now - timedelta(days=1), closes_at=now + timedelta(days=60), now=now)
    assert CountryMeeting.objects.count() == len(states)
    return list(StateCall.objects.with_state().order_by("meeting__state_under_review__state")), now


def doors():
    """{door: {sort: what to post, one each}}, and everything that makes them known."""
    from applications import erasure
    from applications.models import Application, Contact
    from presessions.mail import links
    from presessions.mail.models import PersonalLink

    (chile, kenya, turkiye), now = set_up()
    before = now - timedelta(hours=2)
    count = TIMES + WARM_UP

    def emails(name):
        return [f"{name}{number}@example.org" for number in range(count)]

    def begin(email, state_call=kenya):
        return Application.start(state_call, email=email, language="en", now=before)

    def sorts_of_applicants(door):
        found = {sort: emails(f"{door}-{sort}") for sort in ("unknown", "known", "of-three", "withdrawn", "erased")}
        for email in found["known"]:
            begin(email)
        for email in found["of-three"]:
            for state_call in (chile, kenya, turkiye):
                begin(email, state_call)
        for email in found["withdrawn"]:
            begin(email).withdraw(now=before)
        for email in found["erased"]:
            erasure.erase(begin(email), now=before)
        return found

    def posts(sorts, path, **facts):
        return {sort: [(path, {"email": email, **facts}) for email in emails] for sort, emails in sorts.items()}

    start = posts(sorts_of_applicants("start"), "/en/apply/54/KE/", language="en")
    lost = posts(sorts_of_applicants("lost"), "/en/apply/lost-link/")
    contacts = {sort: emails(f"contact-{sort}") for sort in ("unknown", "waiting", "confirmed", "left")}
    for sort in ("waiting", "confirmed", "left"):
        for email in contacts[sort]:
            contact = Contact.sign_up(email=email, language="en", states=(), now=before)
            if sort != "waiting":
                contact.confirm(now=before)
            if sort == "left":
                contact.leave(now=before)
    sign_up = posts(contacts, "/en/contacts/", language="en")
    return {
        "start": start,
        "lost link": lost,
        "sign-up": sign_up,
        "receipt": receipts(kenya, before, count),
        "link": dead_links(kenya, before, count, links, PersonalLink),
        "log-in": (tried := log_ins(count)),
        "locked": tried,  # the same people from the same place: by now five tries of each have failed
    }


def receipts(state_call, now, count):
    from applications import erasure
    from applications.models import Application, Attachment
    from presessions.trail.references import new_reference

    def application(name, number):
        one = Application.start(state_call, email=f"{name}{number}@example.org", language="en", now=now)
        Attachment.objects.create(
            application=one, kind="upr_submission", version=1, original_name="a.pdf", size=1,
            sha256=fingerprint(number), uploaded_at=now,
        )  # fmt: skip
        return one

    def fingerprint(number):
        return hashlib.sha256(str(number).encode()).hexdigest()

    found = {"unknown": [], "another file": [], "never sent": [], "erased": []}
    for number in range(count):
        sent, draft, erased = (application(name, number) for name in ("sent", "draft", "erased"))
        Application.objects.filter(pk__in=(sent.pk, erased.pk)).update(status="submitted", submitted_at=now)
        erasure.erase(erased, now=now)
        for sort, reference, digest in (
            ("unknown", new_reference(), fingerprint(number)),
            ("another file", sent.reference, fingerprint("other")),
            ("never sent", draft.reference, fingerprint(number)),
            ("erased", erased.reference, fingerprint(number)),
        ):
            found[sort].append(("/en/receipt/", {"reference": reference, "fingerprint": digest}))
    return found


def dead_links(state_call, now, count, links, PersonalLink):
    """Links that open nothing: never minted, and of an application that was erased."""
    from applications import erasure
    from applications.models import Application

    one = Application.start(state_call, email="links@example.org", language="en", now=now)
    tokens = [links.mint("application", one.reference, letter=None, now=now) for _ in range(count)]
    erasure.erase(one, now=now)
    assert not PersonalLink.objects.filter(target_id=one.reference, revoked_at=None).exists()
    return {
        "unknown": [(f"/en/application/{links.new_token()}/", None) for _ in range(count)],
        "erased": [(f"/en/application/{token}/", None) for token in tokens],
    }


def log_ins(count):
    """Wrong passwords for addresses of nobody, of staff, and of former staff; each of them tried four times before."""
    from django.contrib.auth.hashers import make_password
    from django.utils import timezone

    from presessions import vault
    from presessions.accounts.models import Try, User

    now, found = timezone.now(), {}
    for number, sort in enumerate(("unknown", "known", "gone")):
        emails = [f"staff-{sort}{turn}@example.org" for turn in range(count)]
        found[sort] = [("/admin/login/", {"username": email, "password": "a wrong one"}) for email in emails]
        tries = [
            Try(door="password", who=vault.blind_index("email", email), at=now,
                where=vault.blind_index("sender", f"{now.date()}:{place(number, turn)}"))
            for turn, email in enumerate(emails)
            for _time in range(4)
        ]  # fmt: skip
        Try.objects.bulk_create(tries)
        if sort != "unknown":
            facts = {"is_staff": True, "is_active": sort == "known", "password": make_password("the right one")}
            User.objects.bulk_create(User(email=email, name="Staff", **facts) for email in emails)
    return found


def place(number, turn):
    """The network address of one who knocks."""
    return f"10.{number}.{turn // 250}.{turn % 250}"


def knock(sorts):
    """{sort: milliseconds of each answer}, all sorts in turn, each from another address."""
    from django.core import signing
    from django.test import Client

    browser, times = Client(), {sort: [] for sort in sorts}
    shown = signing.dumps(time.time() - 60, salt="form shown")
    for turn in range(TIMES + WARM_UP):
        for number, (sort, posts) in enumerate(sorts.items()):
            path, facts = posts[turn]
            address = place(number, turn)
            began = time.perf_counter()
            if facts is None:
                answer = browser.get(path, REMOTE_ADDR=address)
            else:
                answer = browser.post(path, {**facts, "shown": shown}, REMOTE_ADDR=address)
            took = (time.perf_counter() - began) * 1000
            stays = facts and ("reference" in facts or "username" in facts)
            assert answer.status_code == (404 if facts is None else 200 if stays else 302), sort
            if turn >= WARM_UP:  # the first ones warm up
                times[sort].append(took)
    return times
