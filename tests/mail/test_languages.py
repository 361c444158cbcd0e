"""In which language somebody is written to, and what happens where words are missing."""

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.utils import translation

from presessions.mail import languages, letters, links, outbox
from presessions.mail.models import Mailing, SeriesText
from presessions.mail.registry import Recipient
from tests.mail.factories import LONG_BEFORE, make_series, put
from tests.mail.letters import body_of, link_in, message_of, page_of

pytestmark = pytest.mark.django_db

SIX = ("en", "fr", "es", "ar", "ru", "zh")
GREETING = {
    "Good day": "Добрый день",
    "Open the page": "Открыть страницу",
    "UPR Info, Geneva": "УПО Инфо, Женева",
    "You receive this mail because you asked to be told when we call for applications.": "Вы просили нас об этом.",
    "Leave this list:": "Покинуть список:",
}


@pytest.fixture
def greeting(timetable, settings, tmp_path):
    """A mail of two sentences, and a way to say what each language has words for."""
    folder, locale = tmp_path / "templates", tmp_path / "locale"
    (folder / "greeting").mkdir(parents=True)
    body = '{% load i18n %}{% translate "Good day" %}\n\n{{ link }}\n{% include "mail/_footer.txt" %}'
    (folder / "greeting" / "body.txt").write_text(body)
    (folder / "greeting" / "subject.txt").write_text('{% load i18n %}{% translate "Good day" %}')
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [folder, *engine["DIRS"]]}]
    settings.LOCALE_PATHS = [locale]
    letters.templates = letters.plain_text_templates()  # `timetable` puts the old ones back
    timetable.occasion("greeting", label="greeting", template="greeting", link="invitation")

    def say(language, **words):
        catalogue = Catalog(locale=language)
        for english, said in words.items():
            catalogue.add(english, said)
        (locale / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
        with (locale / language / "LC_MESSAGES" / "django.mo").open("wb") as file:
            write_mo(file, catalogue)
        forget()

    yield say
    forget()


def forget():
    """Django and we keep catalogues for as long as the process lives."""
    letters.untranslated.cache_clear()
    languages._catalogue.cache_clear()
    translation.trans_real._translations = {}


def greet(language, **fields):
    return put("greeting", person={"language": language}, **fields)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [*((code, code) for code in SIX), ("fr-CH", "fr"), ("zh-hans", "zh"), ("xx", "en"), ("", "en"), ("RU", "ru")],
)
def test_we_write_in_six_languages_and_in_english_to_everybody_else(asked, spoken):
    assert languages.spoken(asked) == spoken


def test_chinese_is_declared_with_its_script():
    assert [languages.tag(code) for code in SIX] == ["en", "fr", "es", "ar", "ru", "zh-hans"]


def test_a_letter_comes_in_the_language_of_its_reader(greeting):
    greeting("ru", **GREETING)
    letter = greet("ru")
    assert (letter.language, letter.subject, message_of(letter)["Content-Language"]) == ("ru", "Добрый день", "ru")
    assert body_of(letter).startswith("Добрый день\n")
    assert '<html lang="ru" dir="ltr"' in page_of(letter)
    assert ">Открыть страницу</a>" in page_of(letter)


def test_chinese_words_lie_where_django_looks_for_them(greeting):
    greeting("zh_Hans", **dict.fromkeys(GREETING, "您好"))
    letter = greet("zh")
    assert (letter.language, letter.subject, message_of(letter)["Content-Language"]) == ("zh", "您好", "zh-hans")
    assert '<html lang="zh-hans"' in page_of(letter)


@pytest.mark.parametrize("lacks", sorted(GREETING))
def test_a_letter_of_which_one_sentence_has_no_translation_is_english_throughout(greeting, lacks):
    greeting("ru", **{english: said for english, said in GREETING.items() if english != lacks})
    letter = greet("ru")
    assert letters.untranslated("greeting", "ru") == [lacks]
    assert (letter.language, letter.subject, message_of(letter)["Content-Language"]) == ("en", "Good day", "en")
    assert '<html lang="en"' in page_of(letter)


def test_what_is_the_same_word_in_both_languages_is_translated(greeting):
    greeting("fr", **{english: english for english in GREETING})
    assert letters.untranslated("greeting", "fr") == []


def test_a_language_without_any_words_lacks_all_of_them(greeting):
    assert set(letters.untranslated("greeting", "es")) == set(GREETING)
    assert letters.untranslated("greeting", "en") == []


def test_words_within_conditions_lists_plurals_and_parents_are_found():
    found = {singular for _context, singular, _plural in words_of("mail/reply_confirmed")}
    assert found >= {
        "Excellency,",  # included, beside a variable
        "%(number)s meeting is still without an answer.",  # a plural, its lines joined
        "Your answer: %(answer)s",  # in a loop
        "UPR Info, Geneva",  # included by what is included
    }
    assert "You receive this mail because you asked to be told when we call for applications." in {
        singular
        for _context, singular, _plural in words_of("mail/call")  # in what it extends
    }


def words_of(template):
    return languages.words_of(letters.plain_text_templates().get_template(f"{template}/body.txt").template)


@pytest.mark.parametrize(
    ("language", "prefix"), [("fr", "fr"), ("en", "en"), ("ar", "ar"), ("zh", "zh"), ("fr-CH", "fr"), ("xx", "en")]
)
def test_links_lead_to_the_page_in_the_language_of_the_reader(language, prefix):
    assert links.url("application", "token", language) == f"http://testserver/{prefix}/application/token/"


def test_who_must_be_written_to_in_english_still_gets_pages_in_the_own_language(greeting, monkeypatch):
    seen = []
    monkeypatch.setattr(links, "url", lambda purpose, token, language: seen.append(language) or "http://testserver/x")
    assert greet("fr").language == "en"
    assert seen == ["fr"]


def staff_write(language, subject, body):
    """A mailing of greetings with a text of its own."""
    mailing = Mailing.objects.create(series=make_series(), kind="greeting", due_at=LONG_BEFORE, written_at=LONG_BEFORE)
    text = {"language": language, "subject": subject, "body": body}
    SeriesText.objects.create(series=mailing.series, kind="greeting", changed_at=LONG_BEFORE, **text)
    return mailing


def test_words_of_staff_are_signed_like_all_others_and_outrank_the_file(greeting):
    mailing = staff_write("en", "Hello", "Hello!\n\n{{ link }}")
    letter = greet("en", mailing=mailing)
    assert (letter.subject, link_in(letter) in page_of(letter)) == ("Hello", True)
    assert body_of(letter).endswith("\n\n-- \nUPR Info, Geneva\nhttp://testserver\n")


def test_where_the_file_is_not_translated_the_english_words_of_staff_go_out(greeting):
    mailing = staff_write("en", "Hello", "Hello!\n\n{{ link }}")
    assert greet("ar", mailing=mailing).subject == "Hello"
    greeting("ru", **GREETING)
    assert greet("ru", mailing=mailing).subject == "Добрый день"


def test_words_of_staff_in_a_language_without_a_translation_are_used(greeting):
    mailing = staff_write("es", "Hola", "Hola.\n\n{{ link }}")
    letter = greet("es", mailing=mailing)
    assert (letter.subject, letter.language) == ("Hola", "es")


def test_words_of_staff_that_cannot_be_rendered_become_a_failed_letter(greeting):
    mailing = staff_write("en", "Hello", "{{ nobody }}")
    letter = greet("en", mailing=mailing)
    assert (letter.state, letter.last_code) == ("failed", "render")


def test_a_preview_shows_the_words_of_staff(greeting):
    mailing = staff_write("en", "Hello", "Hello!\n\n{{ link }}")
    text = outbox.preview("greeting", Recipient("person", "1", to="a@example.org"), mailing=mailing)
    assert text.body.startswith("Hello!\n\nhttp://testserver/invitation/[struck out]/\n")
    assert 'href="http://testserver/invitation/[struck out]/"' in text.html
