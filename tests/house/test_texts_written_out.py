"""The text that staff start from, when they change a mail for one series, says what the usual one says.

Every mail of the timetable, to a real person, in each language, once with its own words and once with words made up:
written out and rendered, it is the mail that the files make, byte for byte.
"""

from dataclasses import replace

import pytest
from django.conf import settings
from django.utils import timezone

from presessions.mail import letters, outbox, plurals, registry, text_checks, text_language
from presessions.mail.flatten import flattened
from tests.promises.mails import SIX, made_up_words

pytestmark = pytest.mark.django_db

TIMETABLE = sorted({kind for kind, _step in registry.PLANS})


@pytest.fixture(scope="module")
def asked(told):
    """What the world asked the outbox for."""
    told.asked.now = timezone.now()
    return told.asked


@pytest.fixture(scope="module", params=["own words", "words made up"])
def words(request, tmp_path_factory):
    """Each language has all its words, even while they are not all translated."""
    if request.param == "words made up":
        with made_up_words(settings, tmp_path_factory.mktemp("locale")):
            yield
    else:
        yield


def test_every_kind_of_the_timetable_was_sent_to_somebody(asked):
    assert set(TIMETABLE) <= set(asked.by_kind)


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("language", SIX)
def test_written_out_it_says_the_same(asked, language, monkeypatch):
    monkeypatch.setattr(letters, "untranslated", lambda template, language: [])  # files in this language, not English
    different = {}
    for kind in TIMETABLE:
        recipient, mailing = asked.by_kind[kind]
        person = replace(recipient, language=language)
        source = flattened(registry.KINDS[kind], language, mailing.series)
        usual = outbox.preview(kind, person, mailing=mailing)
        again = outbox.preview(kind, person, mailing=mailing, source=source)
        if (again.subject, again.body, again.html) != (usual.subject, usual.body, usual.html):
            different[kind] = (usual.body, again.body)
    assert different == {}


@pytest.mark.parametrize("language", SIX)
def test_and_staff_may_save_it_as_it_is(asked, language):
    refused = {}
    for kind in TIMETABLE:
        _recipient, mailing = asked.by_kind[kind]
        source = flattened(registry.KINDS[kind], language, mailing.series)
        refused[kind], _text = text_checks.wrong_with(source, mailing, language)
    assert {kind: wrong for kind, wrong in refused.items() if wrong} == {}


@pytest.mark.parametrize("language", SIX)
def test_it_holds_no_file_no_library_and_no_translation(asked, language):
    for kind in TIMETABLE:
        source = flattened(registry.KINDS[kind], language, asked.by_kind[kind][1].series)
        for text in (source.subject, source.body):
            text_language.compiled(text)
            assert not any(f"{{% {tag}" in text for tag in ("include", "load", "extends", "block", "trans", "url"))


# --- Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {0: "other", 1: "one", 2: "other", 21: "other"}),
        ("es", {0: "other", 1: "one", 2: "other", 21: "other"}),
        ("fr", {0: "one", 1: "one", 2: "other", 21: "other"}),
        ("ru", {0: "many", 1: "one", 2: "few", 5: "many", 11: "many", 12: "many", 21: "one", 22: "few", 111: "many"}),
        ("ar", {0: "zero", 1: "one", 2: "two", 3: "few", 10: "few", 11: "many", 99: "many", 100: "other", 103: "few"}),
        ("zh", {0: "other", 1: "other", 2: "other"}),
    ],
)
def test_a_noun_takes_the_form_of_its_number(language, forms):
    assert {number: plurals.form(number, language) for number in forms} == forms
    assert set(plurals.samples(language)) == {plurals.form(number, language) for number in range(1000)}
