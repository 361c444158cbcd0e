"""One wrong answer costs none of the others: what a draft keeps of a page with mistakes, and what it says of it."""

import re

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from applications import rules
from applications.forms import SECTION_FORMS
from applications.models import Application, StateCall
from presessions.trail.models import Event
from tests.applications.factories import CLOSES_AT, MONDAY, ApplicationFactory, answers
from tests.applications.hostile import pdf
from tests.applications.test_journey import open_session, posted

pytestmark = pytest.mark.django_db

OTHERS = "Your other answers on this page are saved."
LONG = "word " * 301


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def draft(client):
    application = ApplicationFactory()
    open_session(client, application)
    return application


@pytest.fixture
def empty(client):
    application = ApplicationFactory(complete=False)
    open_session(client, application)
    return application


def address(section):
    return reverse("applications:section", args=[section])


def form_of(client, section, **changed):
    """What a browser posts from the page as it stands now, with some answers typed over."""
    page = client.get(address(section)).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(application|as_read)" value="([^"]+)"', page))
    return posted(answers().get(section, {})) | hidden | changed


def save(client, section, button="save", **changed):
    return client.post(address(section), form_of(client, section, **changed) | {button: "1"}, follow=True)


def saved(section):
    return Application.objects.get().answers(section)


def text_of(page):
    return " ".join(re.sub("<[^>]+>", " ", page.content.decode()).split())


# --- A mistake beside good answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["save", "later"])
def test_the_good_answers_are_saved_and_the_page_comes_back_with_the_mistake(client, empty, button):
    page = save(client, "institution", button, founded_year="19x9", address="Nairobi")
    assert (saved("institution")["address"], saved("institution")["founded_year"]) == ("Nairobi", None)
    assert 'value="19x9"' in page.content.decode() and "four digits" in text_of(page)
    assert OTHERS in text_of(page)
    assert [event.code for event in Event.objects.about(empty)][-1] == "saved_institution"


def test_a_mistake_never_takes_the_place_of_what_was_saved(client, draft):
    save(client, "institution", founded_year="19x9", website="nowhere", address="Nairobi")
    kept = saved("institution")
    assert (kept["address"], kept["founded_year"]) == ("Nairobi", answers()["institution"]["founded_year"])


@pytest.mark.parametrize(
    "section, wrong, changed",
    [
        ("speaker", {"email": "none"}, {"position": "Chair"}),
        ("replacement", {"email": "none"}, {"full_name": "B. Canary"}),
        ("issues", {"themes": ["999999"]}, {"follow_up": "Nothing was done."}),
        ("recommendations", {"recommendation_2": "x" * 1201}, {"recommendation_3": "Close the old prison."}),
        ("submission", {"joint_submitters": "x" * 1001}, {"submission_kind": "joint"}),
        ("safety", {"security_note": "x" * 4001}, {"consent_name": True}),
    ],
)
def test_so_it_is_in_every_section(client, draft, section, wrong, changed):
    before = saved(section)
    save(client, section, **wrong, **posted(changed))
    kept = saved(section)
    if section == "recommendations":  # they close up
        assert [text for text in kept.values() if text][1:] == ["Close the old prison."]
        return
    assert {name: kept[name] for name in changed} == changed
    assert {name: kept[name] for name in wrong} == {name: before[name] for name in wrong}


def test_a_replacement_is_not_struck_out_by_a_page_with_a_mistake(client, draft):
    save(client, "replacement", full_name="B. Canary", email="b@example.org")
    save(client, "replacement", full_name="", email="none")
    assert saved("replacement")["email"] == "b@example.org"


def test_a_choice_that_cannot_be_read_hides_no_answer_beside_it(client, draft):
    save(client, "submission", submission_kind="joint", joint_submitters="Rights Now")
    save(client, "submission", submission_kind="both", joint_submitters="Rights Now, and others")
    assert saved("submission") == {"submission_kind": "joint", "joint_submitters": "Rights Now, and others"}


def test_safety_and_consent_with_a_mistake_is_not_yet_answered(client, empty):
    save(client, "safety", security_note="x" * 4001, consent_name="on")
    assert (saved("safety")["consent_name"], saved("safety")["seen"]) == (True, None)


def test_mended_it_is_saved_as_a_whole_and_is_no_conflict(client, draft):
    page = save(client, "institution", founded_year="19x9", address="Nairobi").content.decode()
    mark = re.search(r'name="as_read" value="([^"]+)"', page)[1]
    form = posted(answers()["institution"]) | {"founded_year": "1989", "address": "Nairobi", "as_read": mark}
    assert client.post(address("institution"), form).status_code == 302
    assert saved("institution")["founded_year"] == 1989


@pytest.mark.parametrize("wrong", [{"founded_year": "19x9"}, {"aims": "word " * 201}])
def test_a_double_click_on_a_page_with_a_mistake_is_no_conflict(client, draft, wrong):
    form = form_of(client, "institution", address="Nairobi", **wrong)
    assert [client.post(address("institution"), form).status_code for _click in range(2)] == [200, 200]


def test_what_another_page_saved_is_not_undone_by_a_page_with_a_mistake(client, draft):
    first = form_of(client, "institution", address="Nairobi")
    second = form_of(client, "institution", address="Mombasa", founded_year="19x9")
    assert client.post(address("institution"), first).status_code == 302
    page = client.post(address("institution"), second)
    assert page.status_code == 409
    assert "Nairobi" in text_of(page) and "Mombasa" in text_of(page) and "four digits" in text_of(page)
    assert saved("institution")["address"] == "Nairobi"


def test_after_the_deadline_nothing_is_saved_and_everything_given_back(client, draft, clock):
    clock.move_to(CLOSES_AT)
    open_session(client, draft)
    page = client.post(address("institution"), posted({"founded_year": "19x9", "address": "Nairobi"}))
    assert page.status_code == 410 and "Nairobi" in text_of(page)
    assert saved("institution")["address"] != "Nairobi"


def test_the_database_has_the_last_word_on_that_too(client, draft):
    form = form_of(client, "institution", founded_year="19x9", address="Nairobi")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Application, "can_change", lambda self, now, section="": True)
        StateCall.objects.update(closes_at=MONDAY)
        draft.state_call.refresh_from_db()
        assert client.post(address("institution"), form).status_code == 410


@pytest.mark.parametrize("wrong", [{"founded_year": "19x9"}, {"aims": "word " * 201}])
def test_what_was_sent_is_changed_as_a_whole_or_not_at_all(client, wrong):
    application = ApplicationFactory(submitted=True)
    open_session(client, application)
    before, events = saved("institution"), Event.objects.count()
    page = save(client, "institution", address="Nairobi", **wrong)
    assert saved("institution") == before and Event.objects.count() == events
    assert OTHERS not in text_of(page) and "Nairobi" in text_of(page)


def test_what_is_sent_at_the_same_moment_too(client, draft):
    form = form_of(client, "institution", address="Nairobi", aims="word " * 201)
    save_section = Application.save_section

    def sent_meanwhile(self, *args, **kwargs):
        Application.objects.get().submit(now=MONDAY)
        save_section(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Application, "save_section", sent_meanwhile)
        page = client.post(address("institution"), form)
    assert page.status_code == 200 and "Nairobi" in text_of(page) and OTHERS not in text_of(page)
    assert saved("institution")["address"] != "Nairobi"


# --- A text with too many words ---------------------------------------------------------------------------------------


def test_a_text_with_too_many_words_is_saved_with_everything_beside_it(client, draft):
    page = save(client, "issues", issues=LONG, follow_up="Nothing was done.")
    assert (saved("issues")["issues"], saved("issues")["follow_up"]) == (LONG.strip(), "Nothing was done.")
    assert "there is 1 too many" in text_of(page) and "Saved." in text_of(page) and OTHERS not in text_of(page)


def test_it_is_incomplete_and_cannot_be_sent_before_it_is_shorter(client, draft):
    save(client, "issues", follow_up=LONG)
    assert Application.objects.get().missing() == {"issues": ["follow_up"]}
    assert "What you would say Incomplete" in text_of(client.get(reverse("applications:tasks")))
    assert "word Incomplete" in text_of(client.get(reverse("applications:check")))
    page = client.post(reverse("applications:check"), {"understood": "on"})
    told = "What has been done since the last review? – Please shorten this to 300 words: there is 1 too many."
    assert told in text_of(page)
    assert not Application.objects.sent().exists()


def test_a_text_that_is_longer_than_any_we_keep_is_not_cut(client, draft):
    save(client, "issues", issues="word " * 1201, follow_up="Nothing was done.")
    assert (saved("issues")["issues"], saved("issues")["follow_up"]) == ("Conditions in prisons.", "Nothing was done.")


def test_every_limit_in_words_is_known_where_completeness_is_judged():
    asked = {
        (name, validator.limit)
        for form in SECTION_FORMS.values()
        for name, field in form.base_fields.items()
        for validator in field.validators
        if isinstance(validator, rules.AtMostWords)
    }
    assert asked == set(rules.MOST_WORDS.items())


# --- What is said of a page without mistakes --------------------------------------------------------------------------


def test_a_complete_section_is_saved_and_an_empty_one_says_that_answers_are_missing(client, empty):
    assert "Saved. Some answers are still missing." in text_of(
        client.post(address("speaker"), {"save": "1"}, follow=True)
    )
    page = text_of(save(client, "speaker"))
    assert "Saved." in page and "still missing" not in page
    assert "still missing" not in text_of(client.post(address("replacement"), {"save": "1"}, follow=True))


def test_a_file_page_without_a_file_says_that_nothing_is_attached(client, empty):
    page = text_of(client.post(address("file"), {"save": "1"}, follow=True))
    assert "Nothing is attached yet." in page and "Saved." not in page
    file = SimpleUploadedFile("new.pdf", pdf())
    page = text_of(client.post(address("file"), {"file": file}, follow=True))
    assert "Saved." in page and "Nothing is attached" not in page
