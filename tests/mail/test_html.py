"""The HTML of a letter, typeset from its text: what each habit of the text becomes, and what never comes through."""

import re

import pytest
from django.utils import translation

from presessions.mail import html, letters

TOKEN = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v"
LINK = f"https://presessions.example.org/en/invitation/{TOKEN}/"


def typeset(body, subject="A letter", language="en"):
    with translation.override(language):
        return html.typeset(subject, body)


def content(body, **more):
    """What stands between the band and the end, without styles."""
    page = typeset(body, **more)
    page = re.sub(r' (?:style|role|cellpadding|cellspacing|bgcolor)="[^"]*"', "", page)
    return re.sub(r">\s+", ">", page.split("</h1>")[1])


def test_paragraphs_keep_their_lines():
    assert "<p>One.<br>Two.</p><p>Three.</p>" in content("One.\nTwo.\n\nThree.\n")


def test_a_list_follows_its_sentence_and_its_items_go_on():
    page = content("Meetings:\n\n- Kenya\n  Tuesday\n  Room XX\n- Türkiye\n  Wednesday\nThe end.\n")
    assert "<p>Meetings:</p><ul><li><b>Kenya</b><br>Tuesday<br>Room XX</li><li><b>Türkiye</b><br>Wed" in page
    assert "</ul><p>The end.</p>" in page


def test_a_list_with_air_between_its_items_is_one_list():
    assert "<ul><li><b>Kenya</b><br>Monday</li><li>Türkiye</li></ul>" in content("- Kenya\n  Monday\n\n- Türkiye\n")


def test_an_item_of_one_line_is_not_a_heading():
    assert "<ul><li>Kenya: Monday</li><li>Türkiye</li></ul>" in content("States:\n- Kenya: Monday\n- Türkiye\n")


def test_a_dash_within_a_sentence_makes_no_list():
    assert "<ul>" not in content("So it is –\nor not.\n-5 degrees\n")


def test_an_address_alone_on_its_line_becomes_a_button():
    page = typeset(f"Please answer:\n\n{LINK}\n\nThank you.\n")
    assert f'<a href="{LINK}" style="display:inline-block' in page
    assert ">Open the page</a>" in page
    assert page.count(TOKEN) == 1
    assert "<p>Please answer:</p><table><tr><td><a" in content(f"Please answer:\n{LINK}\nThank you.\n")


def test_an_address_in_a_sentence_becomes_a_link_and_keeps_the_full_stop_out_of_it():
    assert '<a href="https://upr-info.org/en" dir="ltr">upr-info.org/en</a>.' in content("See https://upr-info.org/en.")
    assert '(<a href="http://x.org/" dir="ltr">x.org</a>)' in content("Here (http://x.org/) it is.")
    assert '<a href="https://x.org/" dir="ltr">x.org</a>。' in content("见 https://x.org/。")


def test_a_personal_address_is_not_spelled_out():
    assert f'<a href="{LINK}" dir="ltr">presessions.example.org/…</a>' in content(f"It is {LINK} for you.")


def test_an_address_after_words_of_an_item_is_a_link_on_these_words():
    page = content(f"Answers.\n\n- Kenya\n  For your calendar: {LINK}KE.ics\n")
    assert f'<b>Kenya</b><br><a href="{LINK}KE.ics">For your calendar</a></li>' in page
    assert f'<br><a href="{LINK}KE.ics">Pour votre agenda</a>' in content(
        f"A.\n\n- B\n  Pour votre agenda : {LINK}KE.ics"
    )
    assert f'<br><a href="{LINK}KE.ics">日历</a>' in content(f"A。\n\n- B\n  日历： {LINK}KE.ics")


def test_the_signature_is_the_footer_and_the_way_out_of_the_list_a_quiet_link():
    page = content(f"Hello.\n\n-- \nUPR Info, Geneva\nhttps://x.org\n\nYou asked for it.\nLeave this list:\n{LINK}\n")
    assert (
        '<p>Hello.</p></td></tr><tr><td><p>UPR Info, Geneva<br><a href="https://x.org" dir="ltr">x.org</a></p>' in page
    )
    assert f'<p>You asked for it.<br><a href="{LINK}">Leave this list</a></p>' in page
    assert "Open the page" not in page


def test_the_first_line_of_a_letter_to_a_mission_says_to_whom_it_goes():
    (to, greeting, _rest) = html._blocks("Kenya – Permanent Mission in Geneva\n\nExcellency,\n\nUPR Info has.\n")
    assert (to.is_address, greeting.is_address) == (True, False)
    assert not html._blocks("We have received your form.\n\nThank you.\n")[0].is_address


def test_mailboxes_are_links_too():
    assert '<a href="mailto:info@upr-info.org" dir="ltr">info@upr-info.org</a>' in content("Ask info@upr-info.org!")


def test_arabic_runs_from_right_to_left_and_what_is_latin_in_it_does_not():
    page = typeset("الرمز 23456-9MXA4 وصل.\n\nhttps://x.org/\n", language="ar")
    assert '<html lang="ar" dir="rtl"' in page
    assert '<table role="presentation" lang="ar" dir="rtl"' in page  # some programs throw <html> away
    assert '<span dir="ltr" style="white-space:nowrap">23456-9MXA4</span>' in page
    assert "text-align:start" in page


@pytest.mark.parametrize("language", ["en", "fr", "es", "ru", "zh-hans"])
def test_all_others_run_from_left_to_right(language):
    assert f'<html lang="{language}" dir="ltr"' in typeset("Text.\n", language=language)


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    'https://x.org/"onmouseover="alert(1)',
    "https://x.org/'onmouseover='alert(1)",
    "https://x.org/<script>alert(1)</script>",
    "javascript:alert(1)",
    'javascript://x.org/%0aalert(1)"',
    "data:text/html,<script>alert(1)</script>",
    'a"onclick=alert(1)@x.org',
    "{{ subject }}{% load i18n %}",
    "</td></tr></table><form action=//x.org>",
    "&lt;b&gt;",
)


OURS = {"html", "head", "meta", "title", "body", "table", "tr", "td", "h1", "p", "b", "a", "ul", "li", "br", "span"}


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("form", ["{}", "- {}\n  {}", "Words: {}", "Text.\n\n-- \n{}\nLeave:\n{}", "Text {} text."])
def test_nothing_that_somebody_typed_becomes_markup(words, form):
    page = typeset(form.format(words, words), subject=words)
    tags = set(re.findall(r"<\s*([^\s>/!]+)", page))
    assert tags <= OURS
    assert not re.search(r"<[^>]*\son\w+\s*=", page)
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in re.findall(r'href="([^"]*)"', page))


def test_a_line_of_a_thousand_openings_does_not_take_for_ever():
    typeset("https://" + "[struck out" * 2000 + "\n\n" + "a-" * 5000 + "\n\n" + "a@" * 5000 + "\n\n" + ": " * 5000)


def test_links_are_struck_out_in_both_parts_wherever_they_stand():
    text = letters.Text("S", f"Open:\n\n{LINK}\n\nOr {LINK}x?a=1&b=2 now.\n").typeset("en")
    kept = text.without(TOKEN, "a=1&b=2")
    assert TOKEN not in kept.body + kept.html
    assert "b=2" not in kept.body + kept.html
    assert kept.html.count("[struck out]") == 3


def test_a_text_whose_links_are_struck_out_is_typeset_like_the_real_one():
    page = typeset("Open:\n\nhttps://x.org/invitation/[struck out]/\n")
    assert '<a href="https://x.org/invitation/[struck out]/" style="display:inline-block' in page
