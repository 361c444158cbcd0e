"""Staff change the text of a mailing for one series: what may be said, who is asked first, and what is never lost."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.template import TemplateSyntaxError
from django.urls import reverse

from presessions.mail import letters, links, outbox, schedule, text_checks, text_language, texts
from presessions.mail.models import Letter, Mailing, PersonalLink, SeriesText
from presessions.mail.registry import Recipient
from presessions.mail.texts import Source
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.mail.factories import LONG_BEFORE, geneva, make_mailing, make_series, put
from tests.mail.letters import body_of, link_in, message_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
DUE = geneva(2026, 11, 17, 9)
SUBJECT = "Come to the Pre-sessions {{ series.number }}"
BODY = "Excellency,\n\nPlease come:\n\n{{ link }}\n\nThank you.\n"
GOOD = Source(SUBJECT, BODY)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def mailing(timetable):
    return make_mailing()


def save(mailing, source=GOOD, language="en", **facts):
    texts.save(mailing, language, source, **{"by": None, "now": NOW, **facts})


def wrong(mailing, subject=SUBJECT, body=BODY, language="en"):
    """(field, sentence) of what would be refused."""
    found, _text = text_checks.wrong_with(Source(subject, body), mailing, language)
    return [(one.field, one.words) for one in found]


def the_only_fault(mailing, **source):
    ((field, words),) = wrong(mailing, **source)
    return field, words


# --- What goes out ----------------------------------------------------------------------------------------------------


def test_a_text_of_the_series_goes_out_in_the_place_of_the_usual_one(mailing):
    save(mailing)
    schedule.write_due(DUE)
    letter = Letter.objects.first()
    assert message_of(letter)["Subject"] == f"Come to the Pre-sessions {mailing.series.number}"
    assert "Please come:" in body_of(letter)
    assert links.find(link_in(letter).rstrip("/").split("/")[-1], "invitation", now=DUE).letter == letter


def test_in_its_series_its_kind_and_its_language_only(mailing, people):
    people.append(Recipient("mission", "4", to="quatre@example.org", language="fr"))
    other = make_series(number=55)
    save(mailing, Source("Venez", "Venez :\n\n{{ link }}\n"), "fr")
    schedule.write_due(DUE)
    said = {letter.recipient_id: "Venez" in letter.kept for letter in mailing.letters.all()}
    assert said == {"1": False, "2": False, "3": False, "4": True}
    assert texts.source_for(Mailing(kind="invitation", series=other), "fr") is None
    assert texts.source_for(Mailing(kind="briefing", series=mailing.series), "fr") is None


def test_a_date_in_it_is_the_one_of_the_day_it_is_written(mailing, people):
    save(mailing, Source("When", "{{ series.number }}\n\n{{ link }}\n"))
    mailing.series.session.number = 60
    assert outbox.preview("invitation", people[0], mailing=mailing).body.startswith("60\n")


def test_it_is_signed_as_every_letter_is(mailing, people):
    save(mailing)
    assert "UPR Info, Geneva" in outbox.preview("invitation", people[0], mailing=mailing).body


def test_what_goes_in_each_language_is_told(mailing, monkeypatch):
    missing = {"ar": ["Please open"]}
    monkeypatch.setattr(letters, "untranslated", lambda template, language: missing.get(language, []))
    save(mailing, language="fr")
    standings = texts.standings("invitation", mailing.series)
    assert {one.language: one.which for one in standings} == {
        "en": "usual",
        "fr": "own",
        "es": "usual",
        "ar": "english",
        "ru": "usual",
        "zh": "usual",
    }


# --- The small language -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{% include "mail/base.txt" %}',
        "{% load i18n %}",
        '{% extends "mail/base.txt" %}',
        "{% debug %}",
        '{% url "admin:index" %}',
        "{% csrf_token %}",
        "{% now 'Y' %}",
        "{% lorem %}",
        "{% autoescape off %}{% endautoescape %}",
        "{% cycle 'a' %}",
        "{% regroup a by b as c %}",
        '{% translate "x" %}',
        "{{ series|pprint }}",
        "{{ series|safe }}",
        "{{ series._meta }}",
        "{{ series.__class__ }}",
    ],
)
def test_there_is_no_way_out_of_it(text):
    with pytest.raises(TemplateSyntaxError):
        text_language.compiled(text)


def test_it_knows_neither_the_request_nor_the_settings(mailing, people):
    for name in ("request", "user", "perms", "settings", "messages", "csrf_token"):
        with pytest.raises(letters.Unwritable, match="no variable"):
            texts.render(Source("x", f"{{{{ {name} }}}}"), {"series": mailing.series}, "en")


def test_what_changes_a_row_is_never_called_even_by_a_text_that_nobody_checked(mailing):
    """Django does not call what says of itself that it alters data."""
    texts.render(Source("x", "{{ mailing.delete }}{{ mailing.save }}"), {"mailing": mailing}, "en")
    assert Mailing.objects.filter(pk=mailing.pk).exists()


def test_what_a_template_asks_for_is_known_whatever_its_loops_call_it():
    names = text_language.names(
        text_language.compiled(
            "{% for a, b in pairs %}{{ a.x|upper }}{% with c=b.y %}{{ c.z }}{% endwith %}{{ forloop.counter }}"
            "{% empty %}{{ none }}{% endfor %}"
            "{% if p and not q.r or s|length > t %}{% elif u %}{% else %}{{ v }}{% endif %}"
            "{% firstof w 'words' %}{# {{ hidden }} #}{% comment %}{{ hidden }}{% endcomment %}{{ k|default:l }}"
        )
    )
    assert names.variables == {
        *("pairs", "pairs[].0.x", "pairs[].1.y", "pairs[].1.y.z", "none"),
        *("p", "q.r", "s", "t", "u", "v", "w", "k", "l"),
    }
    assert names.filters == {"upper", "length", "default"}


# --- What is refused --------------------------------------------------------------------------------------------------


def test_a_good_text_is_right_and_shown_filled_in_with_its_link_struck_out(mailing):
    found, text = text_checks.wrong_with(GOOD, mailing, "en")
    assert found == []
    assert text.subject == f"Come to the Pre-sessions {mailing.series.number}"
    assert "[struck out]" in text.body
    assert "[struck out]" in text.html
    assert (Letter.objects.count(), PersonalLink.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("source", "field", "words"),
    [
        ({"body": " \n"}, "body", "Write something here."),
        ({"subject": ""}, "subject", "Write something here."),
        ({"body": BODY + '{% include "x" %}'}, "body", '“{% include "x" %}” cannot be used here.'),
        ({"body": BODY + "{% load i18n %}"}, "body", "“{% load i18n %}” cannot be used here."),
        ({"body": BODY + "{% if series %}"}, "body", "The signs between braces cannot be read"),
        ({"body": BODY + "{{ series.number"}, "body", "A brace is left alone."),
        ({"body": BODY + "{% if series\n%}{{ link }}{% endif %}"}, "body", "A brace is left alone."),
        ({"body": BODY + "{{ series.number|pprint }}"}, "body", "The signs between braces cannot be read"),
        ({"body": BODY + "{{ series._state }}"}, "body", "The signs between braces cannot be read"),
        ({"body": BODY + "{{ person.name }}"}, "body", "“person.name” is not known in this mail."),
        ({"body": BODY + "{{ series.reply_to }}"}, "body", "“series.reply_to” is not known in this mail."),
        ({"body": BODY + "{% if mailing.delete %}{% endif %}"}, "body", "“mailing.delete” is not known in this mail."),
        ({"body": BODY + "{{ unsubscribe_link }}"}, "body", "“unsubscribe_link” is not known in this mail."),
        ({"subject": "{{ mailing.pk }}"}, "subject", "“mailing.pk” is not known in this mail."),
        ({"body": BODY + "{{ series.number|place }}"}, "body", "“|place” cannot be used here."),
        ({"body": "Please come."}, "body", "The personal link is missing. Put {{ link }} on a line of its own."),
        ({"subject": "{{ link }}"}, "subject", "A personal link must not stand in a subject"),
        (
            {"body": "{% if series.number == 0 %}{{ link }}{% endif %}x"},
            "body",
            "Not every reader would get the personal",
        ),
        ({"body": BODY + "https://x.example/en/invitation/[struck out]/"}, "body", "a link that is struck out"),
        ({"subject": "x" * 201}, "subject", "The subject has 201 signs. Shorten it to 200 at most."),
        ({"subject": "a\tb"}, "subject", "one line without tabs"),
        ({"subject": "a\u2028b"}, "subject", "one line without tabs"),
        ({"subject": "a\u202eb"}, "subject", "Nobody could be written to with this text."),
        ({"body": BODY + "Long. " * 2000}, "body", "Shorten it: some mail programs cut what is above 8192."),
    ],
)
def test_what_would_harm_is_refused_in_a_sentence_that_says_what_to_do(mailing, source, field, words):
    found, sentence = the_only_fault(mailing, **source)
    assert found == field
    assert words in sentence


def test_the_way_to_leave_a_list_must_stand_in_a_mail_that_may_be_left(dates):
    dates["deadline"] = geneva(2026, 10, 1)
    call = make_mailing("call")
    assert wrong(call, body="Apply.\n\n{{ unsubscribe_link }}\n") == []
    assert "The way to leave the list is missing." in the_only_fault(call, body="Apply.\n")[1]
    assert "“link” is not known" in the_only_fault(call, body="{{ link }} {{ unsubscribe_link }}")[1]


@pytest.mark.parametrize(
    "body",
    [
        "Come.{% if not series.number %}x{% else %}{{ link }}{% endif %}",
        "{% if series.number %}{{ link }}{% endif %}",
        "{% if series.number %}{{ link }}{% else %}{{ link }}{% endif %}",
        "{% with own=link %}{% if series.number %}{{ own }}{% endif %}{% endwith %}",
        "{% if series.number %}{% with own=link %}{{ own }}{% endwith %}{% endif %}",
        "{% for letter in 'abc' %}{{ link }}{% endfor %}",
        "{% firstof series.number link %}{% if series.number %} {{ link }}{% endif %}",
        "{{ link|length }}{% if series.number %} {{ link }}{% endif %}",
    ],
)
def test_a_link_that_the_first_reader_gets_and_others_perhaps_not_is_refused(mailing, body):
    """Only the first reader's mail is filled in, and no check can tell for whom an `if` is true."""
    field, words = the_only_fault(mailing, body=body)
    assert (field, "outside “if”" in words) == ("body", True)


def test_a_link_may_hang_on_what_it_hangs_on_in_the_usual_text(mailing, monkeypatch):
    """The briefing has one while meetings are still to come."""
    usual = Source("x", "{% if series.number %}{{ link }}{% endif %}")
    monkeypatch.setattr(text_checks, "flattened", lambda kind, language, series: usual)
    assert wrong(mailing, subject="x", body=f"Come. {usual.body}") == []
    assert wrong(mailing, subject="x", body=f"{{% with one=series.number %}}{usual.body}{{% endwith %}}") == []
    for body in (
        "{% if not series.number %}x{% else %}{{ link }}{% endif %}",
        "{% if series.number %}{% if public_url %}{{ link }}{% endif %}{% endif %}",
        "{% for one in series.number %}{{ link }}{% endfor %}",
    ):
        assert "outside “if”" in the_only_fault(mailing, subject="x", body=body)[1]


def test_a_link_by_another_name_that_everybody_gets_is_one(mailing):
    assert wrong(mailing, body="{% with own=link %}Come: {{ own }}{% endwith %}") == []
    assert wrong(mailing, body="{% if series.number %}{{ link }}{% endif %}\n\n{{ link }}") == []


def test_the_way_to_leave_must_not_hang_on_an_if_either(dates):
    dates["deadline"] = geneva(2026, 10, 1)
    body = "Apply.{% if series.number %} {{ unsubscribe_link }}{% endif %}"
    assert "The way to leave the list is missing." in the_only_fault(make_mailing("call"), body=body)[1]


@pytest.mark.parametrize("where", ["subject", "body"])
@pytest.mark.parametrize("shape", ["{0}", "see https://apply.example/invitation/{0}/ now", "/leave/{0}/", "({0})."])
def test_nobodys_personal_link_is_sent_to_180_missions(mailing, where, shape):
    letter = put("invitation", mailing=mailing)
    token = link_in(letter).rstrip("/").split("/")[-1]
    source = {"subject": SUBJECT, "body": BODY}
    source[where] += " " + shape.format(token)
    field, words = the_only_fault(mailing, **source)
    assert field == where
    assert "somebody’s personal link" in words


def test_nor_by_pieces_that_come_together_when_it_is_filled_in(mailing):
    token = links.new_token()
    body = f"{BODY}{token[:20]}{{% comment %}}{{% endcomment %}}{token[20:]}"
    assert "Filled in, this holds somebody’s personal link." in the_only_fault(mailing, body=body)[1]


def test_an_old_link_that_was_cut_short_is_one_too(mailing):
    body = f"{BODY}http://testserver/invitation/{links.new_token()[:30]}"
    assert "somebody’s personal link" in the_only_fault(mailing, body=body)[1]


@pytest.mark.parametrize("harmless", ["-" * 43, "_" * 60, "a" * 43, "https://www.upr-info.org/en/webform/pre-sessions"])
def test_lines_and_public_addresses_are_no_personal_link(mailing, harmless):
    assert wrong(mailing, body=f"{BODY}\n{harmless}\n") == []


def test_it_is_tried_on_the_first_who_reads_the_language(mailing, people):
    people.append(Recipient("mission", "4", to="q@example.org", language="fr", context={"series": mailing.series}))
    assert text_checks.somebody(mailing, "fr").id == "4"
    assert (text_checks.somebody(mailing, "ru").id, text_checks.somebody(mailing, "ru").language) == ("1", "ru")


def test_with_nobody_there_it_is_checked_but_not_shown(mailing, people):
    people.clear()
    assert text_checks.wrong_with(GOOD, mailing, "en") == ([], None)


def test_an_audience_that_cannot_be_listed_keeps_nobody_from_writing(mailing, timetable):
    def broken(mailing):
        raise RuntimeError("amina@example.org")

    timetable.mailing(
        "gala", label="gala", audience="all", template="linked", link="invitation", days_before=("working_group", 9)
    )(broken)
    assert text_checks.wrong_with(GOOD, make_mailing("gala", number=55), "en") == ([], None)


# --- Steps ------------------------------------------------------------------------------------------------------------


def test_who_changed_it_and_when_stands_in_the_mailing_s_history(mailing, user):
    save(mailing, by=user)
    texts.forget(mailing, "en", by=user, now=NOW)
    events = Event.objects.about(mailing).filter(staff_id=user.pk).values_list("code", "refused")
    assert list(events) == [("text_en", False), ("usual_text_en", False)]
    assert not SeriesText.objects.exists()


@pytest.mark.parametrize("step", ["save", "forget"])
def test_once_its_letters_are_written_its_text_is_what_it_is(mailing, step):
    save(mailing)
    schedule.write_due(DUE)
    mailing.refresh_from_db()
    take = {
        "save": lambda: save(mailing, Source("x", "y"), now=DUE),
        "forget": lambda: texts.forget(mailing, "en", by=None, now=DUE),
    }
    with pytest.raises(WrongStep, match="are written already"):
        take[step]()
    assert SeriesText.objects.get().subject == SUBJECT
    assert Event.objects.about(mailing).last().refused


def test_a_stale_page_does_not_know_better(mailing):
    """The mailing in our hands says that nothing is written; the row says otherwise."""
    Mailing.objects.filter(pk=mailing.pk).update(writing_at=NOW)
    with pytest.raises(WrongStep, match="written"):
        save(mailing)


def test_nor_does_it_change_while_another_mailing_of_the_kind_is_being_written(mailing):
    other = mailing.series.mailings.create(kind="invitation", step="again", anchor="working_group")
    Mailing.objects.filter(pk=other.pk).update(state="writing", writing_at=NOW)
    with pytest.raises(WrongStep, match="are being written at this moment"):
        save(mailing)
    Mailing.objects.filter(pk=other.pk).update(state="sending", written_at=NOW)
    save(mailing)


def test_letters_of_another_meeting_that_wait_for_their_hour_keep_no_text_from_changing(mailing, user):
    other = mailing.series.mailings.create(kind="invitation", step="again", anchor="working_group", due_at=DUE)
    other.freeze(by=user, now=NOW)
    schedule.write_due(NOW)
    other.resume(by=user, now=NOW)
    other.refresh_from_db()
    assert (other.state, other.written_at) == ("planned", None)
    save(mailing)
    assert SeriesText.objects.get().subject == SUBJECT


def test_letters_let_go_and_held_again_before_their_hour_can_be_thrown_away_for_another_text(mailing, user):
    mailing.freeze(by=user, now=NOW)
    schedule.write_due(NOW)
    mailing.resume(by=user, now=NOW)
    mailing.hold(by=user, now=NOW)
    with pytest.raises(WrongStep, match="Throw them away on the mailing’s page first"):
        save(mailing)


def test_nobodys_change_is_overwritten_unseen(mailing):
    save(mailing, expected="")
    seen = texts.seen(SeriesText.objects.get())
    save(mailing, Source("Second", BODY), now=NOW + timedelta(minutes=1), expected=seen)
    for stale in ("", seen):
        with pytest.raises(WrongStep, match="Somebody else has changed this text meanwhile"):
            save(mailing, Source("Third", BODY), expected=stale)
    assert SeriesText.objects.get().subject == "Second"


def test_there_is_nothing_to_forget_twice(mailing):
    with pytest.raises(WrongStep, match="usual text goes already"):
        texts.forget(mailing, "en", by=None, now=NOW)


# --- The page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(client, user):
    client.force_login(user)
    return client


def page(mailing, language="en"):
    return reverse("admin:mail_text", args=[mailing.pk, language])


def words_on(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def press(client, mailing, step, subject=SUBJECT, body=BODY, language="en", seen="", **options):
    typed = {"step": step, "subject": subject, "body": body, "seen": seen}
    return client.post(page(mailing, language), typed, **options)


def test_the_page_starts_from_the_usual_text_and_names_what_can_be_inserted(staff, mailing):
    text = words_on(staff.get(page(mailing)))
    assert "Please open {{ link }} Thank you." in text
    assert '<code dir="ltr">{{ link }}</code>' in text
    assert "In English the usual text goes out." in text


def test_saved_it_is_shown_next_time_and_says_since_when(staff, mailing, user):
    answer = press(staff, mailing, "save", follow=True)
    assert "Saved." in words_on(answer)
    assert "since Mon 5 January 2026, 10:00 Geneva time" in words_on(answer)
    assert "Please come:" in words_on(answer)
    row = SeriesText.objects.get()
    assert (row.kind, row.language, row.subject, row.body, row.changed_by) == ("invitation", "en", SUBJECT, BODY, user)


def test_what_is_refused_is_said_on_top_and_beside_and_nothing_typed_is_lost(staff, mailing):
    answer = press(staff, mailing, "save", subject="An <unusual> subject", body="No link here, and {{ amina }}.")
    text = words_on(answer)
    assert "<title>Error:" in text.replace("<title> ", "<title>")
    assert 'href="#id_body"' in text
    assert 'id="id_body_error"' in text
    assert "The personal link is missing" in text or "“amina” is not known" in text
    assert "An &lt;unusual&gt; subject" in text
    assert "No link here, and {{ amina }}." in text
    assert not SeriesText.objects.exists()


def test_it_is_shown_filled_in_before_it_is_saved(staff, mailing):
    answer = press(staff, mailing, "preview")
    text = words_on(answer)
    assert f"Come to the Pre-sessions {mailing.series.number}" in text
    assert "[struck out]" in text
    html = reverse("admin:mail_text_html", args=[mailing.pk, "en"])
    assert re.search(rf'<iframe[^>]* sandbox src="{html}" title="', text)
    framed = staff.get(html)
    assert "Please come:" in framed.content.decode()
    assert framed["Content-Security-Policy"].startswith("sandbox;")
    assert (SeriesText.objects.count(), Letter.objects.count(), PersonalLink.objects.count()) == (0, 0, 0)


def test_the_frame_shows_only_what_oneself_is_writing(staff, mailing, client):
    html = reverse("admin:mail_text_html", args=[mailing.pk, "en"])
    assert staff.get(html).status_code == 404
    press(staff, mailing, "preview")
    assert staff.get(reverse("admin:mail_text_html", args=[mailing.pk, "fr"])).status_code == 404
    client.force_login(StaffFactory())
    assert client.get(html).status_code == 404


def test_a_text_that_is_refused_is_kept_nowhere_but_in_the_form(staff, mailing):
    """It may hold somebody's link: not in the session, nor in any table."""
    press(staff, mailing, "preview", body=BODY + links.new_token())
    assert "mail_text" not in staff.session


def test_which_languages_still_go_with_the_usual_text_is_said(staff, mailing, monkeypatch):
    monkeypatch.setattr(letters, "untranslated", lambda template, language: ["Please open"] if language == "ar" else [])
    assert "Other languages still go out with the usual text" not in words_on(staff.get(page(mailing)))
    press(staff, mailing, "save")
    text = words_on(staff.get(page(mailing)))
    assert "Other languages still go out with the usual text" in text
    for language in ("fr", "es", "ar", "ru", "zh"):
        assert f'<li><a href="{page(mailing, language)}">' in text
    assert "in English, for want of a translation" in text
    assert "Please open" in words_on(staff.get(page(mailing, "ar")))


def test_back_to_the_usual_text(staff, mailing):
    press(staff, mailing, "save")
    answer = press(staff, mailing, "usual", seen=texts.seen(SeriesText.objects.get()), follow=True)
    assert "The usual text goes out again." in words_on(answer)
    assert not SeriesText.objects.exists()


@pytest.mark.parametrize("meanwhile", ["changed", "forgotten", "written"])
def test_what_was_typed_stands_when_the_way_back_to_the_usual_text_is_refused(staff, mailing, meanwhile):
    press(staff, mailing, "save", subject="The first")
    seen = texts.seen(SeriesText.objects.get())
    if meanwhile == "changed":
        save(mailing, Source("Of somebody else", BODY), now=NOW + timedelta(minutes=1))
    elif meanwhile == "forgotten":
        texts.forget(mailing, "en", by=None, now=NOW)
    else:
        schedule.write_due(DUE)
    answer = press(staff, mailing, "usual", subject="Half a subject", body="Half a body", seen=seen)
    text = words_on(answer)
    assert "Half a subject" in text and "Half a body" in text
    assert "<title>Error:" in text.replace("<title> ", "<title>")


def test_of_two_who_write_at_once_the_second_sees_the_first_s_text_and_loses_nothing(staff, mailing):
    press(staff, mailing, "save", subject="The first")
    answer = press(staff, mailing, "save", subject="The second", seen="")
    text = words_on(answer)
    assert "Somebody else has changed this text meanwhile" in text
    assert "The first" in text
    assert "The second" in text
    seen = re.search(r'name="seen" value="([^"]+)"', text)[1]
    press(staff, mailing, "save", subject="The second", seen=seen)
    assert SeriesText.objects.get().subject == "The second"


def test_once_written_the_page_says_why_and_has_no_button(staff, mailing):
    press(staff, mailing, "save")
    schedule.write_due(DUE)
    text = words_on(staff.get(page(mailing)))
    assert "Its letters are written already" in text
    assert 'name="step"' not in text
    assert "Its letters are written already" in words_on(press(staff, mailing, "save", subject="Too late"))
    assert SeriesText.objects.get().subject == SUBJECT


@pytest.mark.parametrize("language", ["xx", "EN", "fr-ch"])
def test_languages_and_mailings_that_are_none_are_not_found(staff, mailing, language):
    assert staff.get(page(mailing, language)).status_code == 404
    assert staff.get(reverse("admin:mail_text", args=[0, "en"])).status_code == 404
    assert press(staff, mailing, "delete").status_code == 404


def test_looking_changes_nothing(staff, mailing):
    before = Event.objects.count()
    staff.get(page(mailing))
    staff.head(page(mailing))
    assert (Event.objects.count(), SeriesText.objects.count()) == (before, 0)


def test_who_may_not_change_mailings_may_not_change_their_words(client, mailing):
    someone = StaffFactory(is_superuser=False)
    someone.user_permissions.set(Permission.objects.filter(codename__in=["view_mailing", "view_letter"]))
    client.force_login(someone)
    html = reverse("admin:mail_text_html", args=[mailing.pk, "en"])
    for answer in (client.get(page(mailing)), press(client, mailing, "save"), client.get(html)):
        assert answer.status_code == 403
    client.logout()
    assert client.get(page(mailing)).status_code == 302


def test_every_field_has_a_label_every_id_is_used_once_and_nothing_is_inline(staff, mailing):
    press(staff, mailing, "save")
    for answer in (staff.get(page(mailing)), press(staff, mailing, "save", body="x"), press(staff, mailing, "preview")):
        text = answer.content.decode()
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        fields = set(re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\sid="([^"]+)"', text))
        assert fields - {"nav-filter"} <= set(re.findall(r'<label[^>]*for="([^"]+)"', text))
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=", text)
