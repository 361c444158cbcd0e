"""M11: mails obey the RFCs and carry no hidden load. Every kind x every language x canary data.

One recipient; a random Message-ID; the headers that say what it is; a text part, and first; short lines; nothing
fetched from anywhere; of an applicant nothing that is theirs.
"""

import csv
import re
from dataclasses import replace
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from itertools import cycle

import pytest
from django.conf import settings
from django.utils import timezone

from presessions.mail import letters, outbox, registry
from presessions.mail.wire import Wire
from presessions.upr.models import State
from tests.house.conftest import broker, told  # noqa: F401
from tests.house.sensitivity import FIELDS
from tests.house.world import TOKEN, canary
from tests.promises.mails import SIX, STAFF_KINDS, made_up_words, page_of, read, text_of, words_in
from tests.upr.factories import CARRIED, STATES

pytestmark = pytest.mark.django_db

VOICES = [*SIX, *(f"{language}, made up" for language in SIX[1:])]

ONCE = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")


@pytest.fixture(scope="module")
def asked(told):  # noqa: F811
    """What the world asked the outbox for."""
    told.asked.now = timezone.now()
    return told.asked


@pytest.fixture(scope="module")
def mails(asked, tmp_path_factory):
    """{(kind, language): (letter, message)}; each language but English also in "ar, made up" words."""
    written = {}
    for language in SIX:
        write(written, asked, language)
    with made_up_words(settings, tmp_path_factory.mktemp("locale")):
        for language in SIX[1:]:
            write(written, asked, language, f"{language}, made up")
    return written


def write(written, asked, language, voice=None):
    for kind in asked.by_kind:
        letter = asked.again(kind, language, voice or language, asked.now)
        written[kind, voice or language] = (letter, read(letter.frozen))


@pytest.fixture(params=VOICES)
def spoken(request, mails):
    """All kinds in one language: {kind: (letter, message)}."""
    return {kind: mail for (kind, voice), mail in mails.items() if voice == request.param}


def only(faults):
    """The faults that there are, by kind: an empty dict is what we want to see."""
    return {kind: fault for kind, fault in faults.items() if fault}


def test_every_kind_is_here(mails):
    assert {kind for kind, _language in mails} == set(registry.KINDS)
    assert len(mails) == len(registry.KINDS) * len(VOICES)


def test_every_letter_could_be_written(spoken):
    assert only({kind: letter.last_code for kind, (letter, _message) in spoken.items()}) == {}


def test_each_kind_for_people_outside_has_words_in_each_of_the_six_languages(mails):
    """Red while a catalogue lacks a sentence: then English goes out, and staff are told so."""
    lacking = {
        (kind, language): letters.untranslated(registry.KINDS[kind].template, language)
        for kind in set(registry.KINDS) - STAFF_KINDS
        for language in SIX
    }
    assert only(lacking) == {}


def test_where_there_are_words_they_are_used(mails):
    spoken = {(kind, voice): letter.language for (kind, voice), (letter, _message) in mails.items()}
    assert only({mail: spoken[mail] != mail[1][:2] for mail in spoken if "made up" in mail[1]}) == {}


# --- Headers ---------------------------------------------------------------------------------------------------------


def test_it_goes_to_one_person_and_to_nobody_behind_their_back(spoken):
    for letter, message in spoken.values():
        assert [address for _name, address in getaddresses(message.get_all("To"))] == [letter.to]
        assert not {"Cc", "Bcc", "Resent-To", "Disposition-Notification-To", "Return-Receipt-To"} & set(message.keys())


def test_the_server_is_told_of_one_recipient_and_given_the_very_bytes(mails, sink, settings):
    settings.MAIL_COMMAND_TIMEOUT = settings.MAIL_FINAL_DOT_TIMEOUT = 10  # both processors may be busy
    english = [letter for (_kind, language), (letter, _message) in mails.items() if language == "en"]
    with Wire() as wire:
        for letter in english:
            assert wire.deliver(letter.to, bytes(letter.frozen), lambda: None).code == "250"
    arrived = [(mail["to"], mail["message_id"], mail["sha256"]) for mail in sink.mails]  # a line for each recipient
    assert arrived == [(letter.to, letter.message_id, letter.body_sha256) for letter in english]


def test_every_header_that_must_be_there_is_there_once_and_can_be_read(spoken):
    for kind, (letter, message) in spoken.items():
        assert {name: len(message.get_all(name, [])) for name in ONCE} == dict.fromkeys(ONCE, 1), kind
        assert not message.defects
        assert all(not value.defects for value in message.values())
        assert message["Auto-Submitted"] == "auto-generated"
        assert "OOF" in message["X-Auto-Response-Suppress"]  # holiday notes; not what says that it did not arrive
        assert parsedate_to_datetime(message["Date"]) == letter.created_at.replace(microsecond=0)
        assert "@" in parseaddr(message["Reply-To"])[1]
        assert message["Content-Language"] in ("en", "fr", "es", "ar", "ru", "zh-hans")


def test_message_ids_are_random_and_no_two_are_equal(mails, settings):
    ids = [message["Message-ID"] for _letter, message in mails.values()]
    assert len(set(ids)) == len(mails)
    assert all(re.fullmatch(rf"<[0-9a-f]{{32}}@{re.escape(settings.MAIL_DOMAIN)}>", one) for one in ids)


def test_what_goes_to_a_list_can_be_left_with_one_click_and_nothing_else_says_so(spoken):
    for kind, (_letter, message) in spoken.items():
        names = {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"} & set(message.keys())
        assert len(names) == (3 if registry.KINDS[kind].unsubscribe else 0), kind
        if names:
            (link,) = re.findall(r"^<(http\S+)>$", message["List-Unsubscribe"])
            assert link in text_of(message)
            assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_subjects_say_nothing_of_whom_or_of_which_state(mails, asked):
    for (kind, _language), (_letter, message) in mails.items():
        if kind in STAFF_KINDS:
            continue
        recipient, _mailing = asked.by_kind[kind]
        for name in ("Kenya", "Türkiye", "Кения", "肯尼亚", "كينيا", str(recipient.context.get("reference", "Kenya"))):
            assert name not in message["Subject"], kind


# --- Parts -----------------------------------------------------------------------------------------------------------


WITH_CALENDAR = {  # entries; to missions alone
    "mission_meeting_off": "CANCEL",
    "mission_meeting_moved": "PUBLISH",
    "mission_meetings": "PUBLISH",
    "reply_confirmed": "PUBLISH",
    "colleague_confirmed": "PUBLISH",
}


def test_the_text_comes_first_and_the_page_second_and_nothing_is_attached(spoken):
    for kind, (_letter, message) in spoken.items():
        if kind in WITH_CALENDAR:
            message, entry = message.iter_parts()
            assert (entry.get_content_type(), entry.get_param("method")) == ("text/calendar", WITH_CALENDAR[kind])
            assert not entry.defects
        assert message.get_content_type() == "multipart/alternative"
        parts = list(message.iter_parts())
        assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
        assert all(part.get_content_charset() == "utf-8" and not part.is_attachment() for part in parts)
        assert all(part["Content-Transfer-Encoding"] in ("quoted-printable", "base64") for part in parts)
        assert not any(part.defects for part in parts)


def test_lines_are_short_and_ascii_and_end_as_they_must(mails):
    for (kind, _language), (letter, _message) in mails.items():
        lines = bytes(letter.frozen).split(b"\r\n")
        assert bytes(letter.frozen).isascii()
        assert not set(b"\r\n") & set(b"".join(lines)), kind
        assert max(map(len, lines)) <= 998
        assert max(map(len, lines[lines.index(b"") :])) <= 76


def test_both_parts_hold_the_same_links(spoken):
    for kind, (_letter, message) in spoken.items():
        links = re.findall(r"https?://[^\s<>]+[^\s<>.,;)]", text_of(message))
        assert sorted(set(page_of(message).links)) == sorted(set(links)), kind


def test_both_parts_say_the_same_words_in_the_same_order(spoken):
    """The page says in its band who writes, and on its button what it does; all else is the text."""
    for kind, (letter, message) in spoken.items():
        said = words_in(text_of(message))
        shown = iter(words_in(page_of(message).text))
        missing = [word for word in said if word not in shown]  # takes each word from where the last one stood
        assert missing == [], (kind, letter.language)
        assert len(words_in(page_of(message).text)) < len(said) + 30, kind


def test_a_person_is_sent_to_one_page(spoken):
    """One link of theirs, and to our house; calendar files and the way out of a list hang on links of their own."""
    for kind, (_letter, message) in spoken.items():
        links = page_of(message).links
        assert len({token for link in links for token in TOKEN.findall(link)}) <= 1, kind
        assert all(link.startswith(("http://testserver", "mailto:")) for link in links), kind


# --- The page --------------------------------------------------------------------------------------------------------

ELEMENTS = {"html", "head", "meta", "title", "body", "table", "tr", "td", "p", "b", "a", "ul", "li", "br", "span", "h1"}
ATTRIBUTES = {
    *("lang", "dir", "style", "charset", "name", "content", "href"),
    *("role", "align", "width", "cellpadding", "cellspacing", "bgcolor"),
}
FORBIDDEN = {
    *("src=", "srcset=", "background=", "url(", "@import", "http-equiv", "javascript:"),
    *("<link", "<script", "<form", "<img", "<style", "<base", "<iframe", "<object", "<svg"),
}


def test_nothing_is_fetched_nothing_runs_and_nothing_counts_who_reads(spoken):
    for kind, (_letter, message) in spoken.items():
        page = page_of(message)
        assert {tag for tag, _attributes in page.tags} <= ELEMENTS, kind
        assert {name for _tag, attributes in page.tags for name in attributes} <= ATTRIBUTES, kind
        assert [word for word in FORBIDDEN if word in page.source.lower()] == [], kind
        assert page.inside == []


def test_it_says_its_language_and_runs_the_right_way(spoken):
    for kind, (letter, message) in spoken.items():
        directions = {(tag, a["lang"], a["dir"]) for tag, a in page_of(message).tags if "lang" in a}
        tag, way = message["Content-Language"], "rtl" if letter.language == "ar" else "ltr"
        assert directions == {("html", tag, way), ("table", tag, way)}, kind


def test_it_bears_dark_paper(spoken):
    """Text has a colour of its own only where it brings its own ground; so a dark program may choose both."""
    for kind, (_letter, message) in spoken.items():
        page = page_of(message)
        assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.tags
        for _tag, attributes in page.tags:
            style = attributes.get("style", "")
            inks = re.findall(r"(?<![-\w])color:([^;]+)", style)
            assert inks in ([], ["inherit"]) or "background:" in style, (kind, style)


# The session of this cycle whose States have the longest names: the 53rd.
with (CARRIED / "upr_states_under_review.csv").open() as table:
    LONG_NAMES = [row["iso2"] for row in csv.DictReader(table) if row["session_number"] == "53"]


@pytest.mark.parametrize("language", SIX)
def test_it_is_small_even_with_fourteen_meetings(asked, language, settings, tmp_path, monkeypatch):
    settings.PUBLIC_URL = "https://presessions.upr-info.example.org"
    names = cycle(STATES[code][f"name_{language}"] for code in LONG_NAMES)
    monkeypatch.setattr(State, "name_in", lambda state, spoken: next(names))
    sizes = {}
    with made_up_words(settings, tmp_path):
        for kind, (recipient, mailing) in asked.by_kind.items():
            recipient = replace(recipient, language=language, context=fourteen(recipient.context))
            sizes[kind] = len(outbox.preview(kind, recipient, mailing=mailing).html.encode())
    assert only({kind: size >= 8 * 1024 and size for kind, size in sizes.items()}) == {}


def fourteen(context):
    """The same with fourteen of whatever it lists: the States of one session."""
    return {name: (value * 14)[:14] if isinstance(value, list) else value for name, value in context.items()}


# --- Secrets ---------------------------------------------------------------------------------------------------------


def test_of_an_applicant_nothing_but_the_reference_and_to_nobody_else(mails):
    """Nobody's words or names, not even their own: a mailbox may be watched, and missions must learn nothing."""
    secrets = [place for place in FIELDS if not place.startswith("mail.Letter.")]
    for (kind, _language), (letter, message) in mails.items():
        said = f"{[(name, value) for name, value in message.items() if name != 'To']} {text_of(message)}"
        said += page_of(message).source + bytes(letter.kept_html.encode()).decode()
        assert [place for place in secrets if canary(place) in said] == [], kind


def test_what_is_kept_opens_nothing_in_either_part(mails):
    for (kind, _language), (letter, message) in mails.items():
        tokens = [token for link in page_of(message).links for token in TOKEN.findall(link)]
        kept = letter.kept + letter.kept_html
        assert not [token for token in tokens if token in kept], kind
        assert (
            bool(tokens) == ("[struck out]" in letter.kept and "[struck out]" in letter.kept_html) or kind == "django"
        )
