"""The questions to prepare offline are those of the form, in the reader's language, and cost next to nothing."""

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from lxml import html

from applications.forms import SECTION_FORMS, SendForm
from applications.models import Theme

pytestmark = pytest.mark.django_db


def asked():
    """Every field that the pages of the form show."""
    forms = [form(application=None) for form in SECTION_FORMS.values()]
    return [field for form in [*forms, SendForm(application=None)] for field in form.visible_fields()]


@pytest.mark.parametrize("code", [code for code, _name in settings.LANGUAGES])
def test_page_and_text_hold_every_question_hint_and_choice(client, code):
    with translation.override(code):
        page = client.get(reverse("applications:questions"))
        text = client.get(reverse("applications:questions_text")).content.decode()
        for form in SECTION_FORMS.values():
            assert str(escape(form.title)) in page.content.decode() and str(form.title) in text
        for field in asked():
            choices = [str(label) for _value, label in getattr(field.field, "choices", ())]
            for words in [str(field.label), str(field.help_text), *choices]:
                assert str(escape(words)) in page.content.decode(), words
                assert words in text, words


def test_on_paper_there_is_room_to_write_under_each_question_answered_in_words(client):
    page = html.document_fromstring(client.get(reverse("applications:questions")).content)
    lines = {
        one.find("strong").text_content(): len(one.findall(".//div[@class='ruled']/hr"))
        for one in page.xpath("//section[@class='questions']//li")
    }
    assert (lines["Aims and work"], lines["Full name"], lines["The issues you would raise"]) == (6, 1, 8)
    assert lines["What are you?"] == lines["The file"] == 0


def test_each_question_stands_there_once(client):
    text = client.get(reverse("applications:questions_text")).content.decode()
    assert text.count("\n* ") == len(asked())


def test_the_text_is_a_file_to_keep_in_plain_utf_8(client):
    Theme.objects.create(slug="land", name_en="Terres & “forêts”")
    answer = client.get(reverse("applications:questions_text"))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="questions.txt"'
    assert "Terres & “forêts”" in answer.content.decode()


@pytest.mark.parametrize("themes", [1, 40])
def test_it_costs_one_look_at_the_themes(client, django_assert_num_queries, themes):
    Theme.objects.all().delete()
    Theme.objects.bulk_create(Theme(slug=f"theme-{number}", name_en=f"Theme {number}") for number in range(themes))
    for name in ("questions", "questions_text"):
        with django_assert_num_queries(1):
            client.get(reverse(f"applications:{name}"))


def test_people_find_it_where_they_prepare(client):
    assert reverse("applications:questions") in client.get(reverse("applications:home")).content.decode()
