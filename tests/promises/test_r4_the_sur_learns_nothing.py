"""R4: the State under Review learns nothing from its own invitation, and no mission more than another.

A word of its own stands in every field of an applicant (tests/house/world.py). At several moments of the story Kenya's
mission, on whose State the applicant would speak, another mission and somebody without any link open everything they
can: see walk.py. Of an applicant there is nothing in it, until leave stands for that item and for those eyes.
"""

import io
from datetime import date, timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from applications import at_risk, cleaning, erasure, files, seat
from applications.models import Application, Consent
from missions.models import Invitation, PermanentMission, Reply
from presessions import vault
from presessions.mail import registry
from presessions.upr.dates import geneva
from tests.house.conftest import broker  # noqa: F401
from tests.house.sensitivity import FIELDS, PUBLIC
from tests.house.world import END, SET_UP, STATEMENT_DUE, World, canary, pdf
from tests.promises.access import POSTED
from tests.promises.test_c2_access_matrix import browser_of, table, where  # noqa: F401
from tests.promises.walk import addresses, contents, known, token_for, walk

Item = Consent.Item
EVENING_BEFORE = geneva(date(2026, 4, 13), 18)  # of Kenya's meeting, on the 14th at 11:00
SUR, OTHER, STRANGER = "Kenya’s mission", "another mission", "no mission at all"
OF_APPLICANTS = ("application", "contact", "visitor")  # kinds of recipients that are no missions ...
OF_STAFF = ("staff", "")
WORDS_OF = {  # what an item lets out, by the place of its canary
    Item.NAME: {"applications.Speaker.full_name"},
    Item.ORGANISATION: {"applications.Application.name_latin"},
    Item.STATEMENT: {"the statement"},
    Item.FACT_SHEET: {"the fact sheet"},
    Item.RECOMMENDATIONS: {"applications.Recommendation.text"},
    Item.PHOTO: set(),
    Item.RECORDING: set(),
}
FILES = ("the file behind applications.Attachment.stored", "the statement", "the fact sheet")
IN_FILES = {name: canary(name) for name in FILES}


def secrets():
    """{word: where it stands} of everything in the rows of applicants that is not public: what they wrote, what stands
    for them, and what their files are called. Single words of everyday life, such as "Director", are left out."""
    found = {word: place for place, word in IN_FILES.items()}
    for label, who in FIELDS.items():
        model = apps.get_model(label.rpartition(".")[0])
        field = model._meta.get_field(label.rpartition(".")[2])
        if who == PUBLIC or model._meta.app_label != "applications" or field.choices or model.__name__ == "Contact":
            continue
        for value in model.objects.values_list(field.name, flat=True):
            if isinstance(value, str) and len(value) >= 10:
                found.setdefault(value.lower(), label)
    return found


def learnt(pages, words):
    """{where it stands in our rows: the addresses at which it lies open}"""
    seen = {}
    for address, (_status, text) in pages.items():
        text = text.lower()
        for word, label in words.items():
            if word in text:
                seen.setdefault(label, []).append(address)
    return seen


def looked(series, now):
    """What each of the three finds at this moment; links that are made for it are gone afterwards."""
    with transaction.atomic():
        missions = {SUR: PermanentMission.objects.get(code="KE"), OTHER: PermanentMission.objects.get(code="VA")}
        tokens = {who: token_for(mission, series, now) for who, mission in missions.items()}
        pages = {who: walk(token, only_behind_it=True) for who, token in tokens.items()} | {STRANGER: walk()}
        transaction.set_rollback(True)
    return tokens, pages


class Story(World):
    """The world, in which three people look around now and then."""

    def set_up(self):
        self.seen = {}
        super().set_up()

    def look(self, moment):
        _tokens, pages = looked(self.series, timezone.now())
        words = secrets()
        assert len(words) > 30
        self.seen[moment] = {who: learnt(found, words) for who, found in pages.items()}
        for who, found in pages.items():  # or it would prove nothing
            assert sum(status == 200 for status, _text in found.values()) >= 5, who

    def staff_compose(self):
        self.look("no agenda yet")
        super().staff_compose()
        self.look("the agenda is published")

    def something_is_wrong(self):
        super().something_is_wrong()
        self.clock.move_to(EVENING_BEFORE)
        self.look("the evening before")

    def mail_staff(self):
        self.look("all is over")
        super().mail_staff()


MOMENTS = ["no agenda yet", "the agenda is published", "the evening before", "all is over"]


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker, broker):  # noqa: F811
    with django_db_blocker.unblock(), transaction.atomic(), time_machine.travel(SET_UP, tick=False) as clock:
        story = Story(clock)
        story.tell()
        yield story
        transaction.set_rollback(True)


@pytest.fixture
def world(told, db):
    told.clock.move_to(END)
    return told


# --- Without leave ----------------------------------------------------------------------------------------------------


def test_an_argument_of_an_address_is_known_to_the_walk():
    arguments = {argument for _name, asked in addresses() for argument in asked}
    assert arguments == known("").keys()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("who", [SUR, OTHER, STRANGER])
def test_of_somebody_at_risk_nobody_outside_learns_anything_at_any_moment(told, who, moment):
    assert told.seen[moment][who] == {}


def test_whoever_gets_letters_is_an_applicant_or_staff_or_stands_for_a_mission():
    assert set(registry.RECIPIENTS) - {*OF_APPLICANTS, *OF_STAFF} == {"mission", "colleague"}


def test_no_letter_to_a_mission_says_anything_of_an_applicant(world):
    words, told_to_missions = secrets(), {}
    for mail in world.mails:
        if mail.letter.recipient_kind not in (*OF_APPLICANTS, *OF_STAFF):
            parts = [part.get_content() for part in mail.message.walk() if not part.is_multipart()]
            text = f"{mail.message.items()} {parts}"
            told_to_missions[f"{mail.kind} {mail.letter.pk}"] = (200, text.replace("\\r\\n ", ""))
    assert {mail.kind for mail in world.mails} & {"invitation", "briefing", "reply_confirmed"} <= {
        key.split()[0] for key in told_to_missions
    }
    assert learnt(told_to_missions, words) == {}


def test_nor_does_the_desk_of_whoever_looks_after_missions_nor_a_file_from_there(world, where):  # noqa: F811
    """What is passed on to missions is made there: lists for the door, reports, exports."""
    browser, pages, files = browser_of("M"), {}, 0
    for (method, name), who in table().items():
        if "M" in who and (method == "GET" or name in POSTED):
            answer = browser.get(where[name]) if method == "GET" else browser.post(where[name], POSTED[name])
            pages[f"{method} {name}"] = answer.status_code, contents(answer)
            files += method == "POST" and "attachment" in answer.get("Content-Disposition", "")
    for model in (PermanentMission, Invitation, Reply):
        page = f"admin:missions_{model._meta.model_name}_export"
        for audience in admin.site._registry[model].audiences:
            answer = browser.post(reverse(page), {"audience": audience.name, "format": "xlsx"})
            assert "attachment" in answer["Content-Disposition"]
            pages[f"{page} {audience.name}"] = answer.status_code, contents(answer)
    assert sum(status == 200 for status, _text in pages.values()) > 40
    assert files >= 3
    assert learnt(pages, secrets()) == {}


# --- With leave -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def safe(told):
    """Nobody is at risk any more, and the papers with the words of their own are looked through."""
    with transaction.atomic():
        told.clock.move_to(STATEMENT_DUE + timedelta(hours=4))
        application = Application.objects.get(pk=told.application.pk)
        at_risk.unmark(application, by=told.ada, now=timezone.now(), reason="They are abroad now.")
        for kind, name in (("statement", "the statement"), ("fact_sheet", "the fact sheet")):
            file = SimpleUploadedFile("paper.pdf", pdf(IN_FILES[name]))
            with encrypted(file) as upload:
                seat.receive(application, upload, kind, files.check(upload), now=timezone.now())
        cleaning.look_through(timezone.now())
        yield told
        transaction.set_rollback(True)


def encrypted(file):
    upload = vault.EncryptedUpload.create(file.name)
    upload.write(io.BytesIO(file.read()).getvalue())
    upload.finish()
    return upload


@pytest.fixture
def applicant(safe, db):
    """Says what may be published, at a moment, and the moment."""

    def agrees(items, moment):
        application = Application.objects.get(pk=safe.application.pk)
        safe.clock.move_to(moment)
        seat.publish_again(application, set(items), now=timezone.now())
        return looked(safe.series, timezone.now())

    return agrees


def places(pages, who):
    return set(learnt(pages[who], secrets()))


# Each item has a pattern of its own over the three, so that each is seen to follow its own leave and no other's.
PATTERNS = [[item for number, item in enumerate(Item, start=1) if number >> bit & 1] for bit in range(3)]


@pytest.mark.parametrize("items", [*PATTERNS, []], ids=["first", "second", "third", "all taken back"])
def test_once_it_is_over_each_item_is_out_with_leave_for_it_and_for_no_other(applicant, items):
    _tokens, pages = applicant(items, END)
    out = set().union(*(WORDS_OF[item] for item in items))
    assert {who: places(pages, who) for who in pages} == {SUR: out, OTHER: out, STRANGER: out}


def test_on_the_evening_before_missions_read_the_papers_and_nobody_else_does(applicant):
    tokens, pages = applicant(Item, EVENING_BEFORE)
    on_the_agenda = WORDS_OF[Item.NAME] | WORDS_OF[Item.ORGANISATION]
    everything = set().union(*WORDS_OF.values())
    assert {who: places(pages, who) for who in pages} == {SUR: everything, OTHER: everything, STRANGER: on_the_agenda}
    packs = [_packs(pages[who], tokens[who]) for who in (SUR, OTHER)]
    assert packs[0].keys() == packs[1].keys()
    assert len(packs[0]) >= 8
    assert [address for address in packs[0] if packs[0][address] != packs[1][address]] == []  # word for word


def _packs(pages, token):
    """All briefing packs behind a link, without the link."""
    found = {address: text for address, (_status, text) in pages.items() if "/pack/" in address}
    return {address.replace(token, ""): text.replace(token, "") for address, text in found.items()}


def test_an_hour_earlier_not_even_missions_do(applicant):
    _tokens, pages = applicant(Item, EVENING_BEFORE - timedelta(hours=1))
    on_the_agenda = WORDS_OF[Item.NAME] | WORDS_OF[Item.ORGANISATION]
    assert {who: places(pages, who) for who in pages} == dict.fromkeys(pages, on_the_agenda)


def test_what_was_out_is_gone_the_moment_leave_is_taken_back_and_the_moment_it_is_forgotten(applicant, safe):
    """The last of its file: what is forgotten is gone from the disk, too, and no test after it gets that back."""
    _tokens, pages = applicant(Item, END)
    assert places(pages, STRANGER) == set().union(*WORDS_OF.values())
    _tokens, pages = applicant([], END)
    assert {who: places(pages, who) for who in pages} == {who: set() for who in pages}
    application, words = Application.objects.get(pk=safe.application.pk), secrets()
    seat.publish_again(application, set(Item), now=timezone.now())
    erasure.forget(application, now=timezone.now())
    _tokens, pages = looked(safe.series, timezone.now())
    assert {who: learnt(pages[who], words) for who in pages} == {who: {} for who in pages}
