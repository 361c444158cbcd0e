"""An applicant's way: from a State to a receipt, back by the link as often as needed, and out again."""

import logging
import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import rules
from applications.models import Application, Attachment, StateCall
from presessions.mail.models import Letter, LinkVisit, PersonalLink
from presessions.trail.models import Event
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, answers
from tests.applications.hostile import pdf
from tests.mail.letters import body_of
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

NAME, ADDRESS = "Amina Canary", "canary@example.org"


@pytest.fixture
def clock():
    """Monday 2 March 2026, 10:00 in Geneva; `clock.shift(seconds)` moves on."""
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya(clock):
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


def hidden(page):
    """The signed instant in a short form."""
    return re.search(r'name="shown" value="([^"]+)"', page.content.decode())[1]


def begin(client, clock, email=ADDRESS, **more):
    address = reverse("applications:start", args=[54, "KE"])
    shown = hidden(client.get(address))
    clock.shift(timedelta(seconds=20))
    return client.post(address, {"email": email, "language": "en", "shown": shown, **more})


def path_in(letter):
    return re.search(r"https?://[^/]+(/\S*/application/\S+)", body_of(letter))[1]


def posted(facts):
    """Answers as a browser sends them."""
    sent = {}
    for name, value in facts.items():
        if isinstance(value, bool):
            sent |= {name: "on"} if value else {}
        elif isinstance(value, list):
            sent[name] = [one.pk for one in value]
        elif value is not None:
            sent[name] = str(value)
    return sent


def save(client, section, **changed):
    return client.post(reverse("applications:section", args=[section]), posted(answers(**changed)[section]))


def open_session(client, application):
    client.cookies.clear()
    session = client.session
    session["application"] = application.pk
    session.save()


# --- Beginning --------------------------------------------------------------------------------------------------------


def test_the_whole_way_from_a_state_to_a_receipt(client, clock, kenya):
    assert begin(client, clock).url == reverse("applications:link_sent")
    application, letter = Application.objects.get(), Letter.objects.get()
    assert (letter.subject, letter.state) == ("Your link", "pending")

    address = path_in(letter)
    assert client.get(address).status_code == 200
    assert client.post(address).url == reverse("applications:tasks")

    for section in ("institution", "speaker", "issues", "recommendations", "submission"):
        assert save(client, section).status_code == 302
    file = SimpleUploadedFile("Submission Kenya.pdf", pdf(), content_type="application/pdf")
    assert client.post(reverse("applications:section", args=["file"]), {"file": file}).status_code == 302
    assert save(client, "safety").url == reverse("applications:check")

    answer = client.post(reverse("applications:check"), {"understood": "on"})
    assert answer.url == reverse("applications:receipt")
    application.refresh_from_db()
    stored = application.upr_submission
    page = client.get(answer.url).content.decode()
    for proof in (application.reference, "Mon 2 March 2026, 10:00 Geneva time", "Submission Kenya.pdf", stored.sha256):
        assert proof in page
    receipt = Letter.objects.get(kind="receipt")
    assert stored.sha256 in body_of(receipt)
    assert application.reference in body_of(receipt)
    codes = [event.code for event in Event.objects.about(application)]
    assert codes[0] == "begun"
    assert codes[-1] == "submitted"


def test_letters_to_an_applicant_give_nobody_away(kenya):
    application = ApplicationFactory(
        state_call=kenya, organisation_name="Rights Now", full_name=NAME, withdrawn=True, submitted=True
    )
    for letter in Letter.objects.filter(recipient_id=application.reference):
        for secret in ("Kenya", "Rights Now", NAME, "prison", ADDRESS):
            assert secret not in letter.subject + body_of(letter)


def test_two_starts_are_one_draft_and_one_letter(client, clock, kenya):
    first, second = begin(client, clock), begin(client, clock, email=ADDRESS.upper())
    assert (first.status_code, first.url) == (second.status_code, second.url)
    assert (Application.objects.count(), Letter.objects.count()) == (1, 1)


def test_a_second_start_after_a_while_sends_the_link_again(client, clock, kenya):
    begin(client, clock)
    clock.shift(timedelta(minutes=10))
    begin(client, clock)
    assert (Application.objects.count(), Letter.objects.count()) == (1, 2)


def test_somebody_who_withdrew_may_begin_anew(client, clock, kenya):
    ApplicationFactory(state_call=kenya, email=ADDRESS, withdrawn=True)
    begin(client, clock)
    assert Application.objects.live().of_address(ADDRESS).count() == 1


@pytest.mark.parametrize(
    "email",
    [
        "a@example.org\nBcc: b@example.org",
        "a@example.org\r\nSubject: x",
        "a b@c",
        "",
        "x" * 250 + "@a.org",
        "a@[127.0.0.1]",
        "=?utf-8?b?dmljdGlt?=@example.org",
    ],
)
def test_an_address_that_is_none_is_refused_in_words_and_kept(client, clock, kenya, email):
    answer = begin(client, clock, email=email)
    assert answer.status_code == 200
    assert "Error:" in answer.content.decode()
    assert not Application.objects.exists()


def test_a_robot_gets_the_same_answer_and_nothing_happens(client, clock, kenya):
    assert begin(client, clock, leave_empty="http://spam.example").url == begin(client, clock).url
    assert Application.objects.count() == 1


def test_who_is_too_fast_presses_the_button_once_more(client, clock, kenya):
    address = reverse("applications:start", args=[54, "KE"])
    shown = hidden(client.get(address))
    answer = client.post(address, {"email": ADDRESS, "language": "en", "shown": shown})
    assert "press the button once more" in answer.content.decode()
    assert f'value="{ADDRESS}"' in answer.content.decode()
    clock.shift(timedelta(seconds=3))
    assert client.post(address, {"email": ADDRESS, "language": "en", "shown": hidden(answer)}).status_code == 302


@pytest.mark.parametrize("shown", ["", "1700000000", "MTcwMDAwMDAwMA:forged:signature", "\x00"])
def test_an_invented_instant_is_replaced_by_ours(client, clock, kenya, shown):
    address = reverse("applications:start", args=[54, "KE"])
    answer = client.post(address, {"email": ADDRESS, "language": "en", "shown": shown})
    assert not Application.objects.exists()
    clock.shift(timedelta(seconds=3))
    assert client.post(address, {"email": ADDRESS, "language": "en", "shown": hidden(answer)}).status_code == 302


def test_the_address_that_was_typed_is_shown_once_and_stands_nowhere_else(client, clock, kenya):
    answer = begin(client, clock, email="amina@exmaple.org")
    assert "exmaple" not in answer.url + answer.content.decode() + answer.cookies.output()
    assert answer.cookies["typed"]["path"] == answer.url
    assert answer.cookies["typed"]["httponly"]
    assert "session" not in answer.cookies.output()
    page = client.get(answer.url)
    assert '<strong dir="ltr">amina@exmaple.org</strong>' in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert "exmaple" not in client.get(answer.url).content.decode()


@pytest.mark.parametrize("forged", ["x", "%%%", "YW1pbmE=", "é"])
def test_a_forged_address_is_not_shown(client, forged):
    client.cookies["typed"] = forged
    page = client.get(reverse("applications:link_sent"))
    assert page.status_code == 200
    assert "You typed" not in page.content.decode()


# --- The link ---------------------------------------------------------------------------------------------------------


def test_a_link_opens_as_often_as_it_is_used(client, clock, kenya):
    begin(client, clock)
    address = path_in(Letter.objects.get())
    for _again in range(3):
        client.session.flush()
        assert client.post(address).status_code == 302
        assert client.get(reverse("applications:tasks")).status_code == 200


@pytest.mark.parametrize("method", ["get", "head"])
def test_fetching_a_link_changes_nothing_but_its_visits(client, clock, kenya, method):
    begin(client, clock)
    before = list(Application.objects.values()), Letter.objects.count(), PersonalLink.objects.count()
    answer = getattr(client, method)(path_in(Letter.objects.get()))
    assert answer.status_code == 200
    assert (list(Application.objects.values()), Letter.objects.count(), PersonalLink.objects.count()) == before
    assert LinkVisit.objects.get().method == method.upper()
    assert "application" not in client.session


def test_opening_by_the_link_gives_a_fresh_session_without_the_token(client, clock, kenya):
    begin(client, clock)
    address = path_in(Letter.objects.get())
    open_session(client, ApplicationFactory())
    before = client.session.session_key
    client.post(address)
    assert client.session.session_key != before
    assert address.rstrip("/").rsplit("/", 1)[-1] not in str(dict(client.session.items()))


def test_dead_unknown_and_expired_links_look_the_same(client, clock, kenya):
    begin(client, clock)
    address = path_in(Letter.objects.get())
    unknown = client.get(reverse("applications:open", args=["x" * 43]))
    with time_machine.travel("2026-06-14 23:59:59+02:00", tick=False):  # the Working Group ends on 15 May
        assert client.get(address).status_code == 200
    with time_machine.travel("2026-06-15 00:00:00+02:00", tick=False):
        expired = client.get(address)
    PersonalLink.objects.update(revoked_at=MONDAY)
    revoked = client.get(address)
    texts = {answer.content.decode().replace(address, "").replace("x" * 43, "") for answer in (unknown, revoked)}
    assert {answer.status_code for answer in (unknown, revoked, expired)} == {404}
    assert all("Nothing is lost." in text for text in texts)


def test_a_lost_link_is_answered_alike_for_known_and_unknown_addresses(client, clock, kenya):
    ApplicationFactory(state_call=kenya, email=ADDRESS)
    address, answers_ = reverse("applications:lost_link"), []
    clock.shift(timedelta(minutes=10))
    for email in (ADDRESS, "nobody@example.org"):
        shown = hidden(client.get(address))
        clock.shift(timedelta(seconds=5))
        answers_.append(client.post(address, {"email": email, "shown": shown}))
    assert len({(answer.status_code, answer.url, answer.content) for answer in answers_}) == 1
    assert [letter.kind for letter in Letter.objects.order_by("-pk")[:2]] == ["no_application", "application_link"]


# --- The form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", rules.SECTIONS)
def test_every_section_may_be_saved_empty(client, kenya, section):
    application = ApplicationFactory(state_call=kenya, complete=False)
    open_session(client, application)
    answer = client.post(reverse("applications:section", args=[section]), {"save": "1"})
    assert answer.status_code == 302
    assert section in application.missing() or section in ("safety", "replacement")


@pytest.mark.parametrize("section", ["institution", "speaker", "issues", "recommendations", "submission", "safety"])
def test_what_was_saved_is_there_again(client, kenya, section):
    application = ApplicationFactory(state_call=kenya, complete=False)
    open_session(client, application)
    facts = answers(name="Droits Ñu <b>", full_name=NAME, issues="Prisons & “courts”")[section]
    client.post(reverse("applications:section", args=[section]), posted(facts))
    fresh = Application.objects.get(pk=application.pk)
    assert {name: fresh.answers(section)[name] for name in facts} == facts
    assert client.get(reverse("applications:section", args=[section])).status_code == 200


@pytest.mark.parametrize(
    "section, wrong, words",
    [
        ("institution", {"aims": "word " * 201}, "there is 1 too many"),
        ("institution", {"founded_year": "long ago"}, "four digits"),
        ("institution", {"founded_year": "2027"}, "still to come"),
        ("institution", {"website": "not an address"}, "like https://www.example.org"),
        ("institution", {"kind": "nhri", "ganhri_status_on": "31/31/2020"}, "year, month and day"),
        ("institution", {"kind": "ministry"}, "Select a valid choice"),
        ("speaker", {"email": "amina(at)example"}, "like name@example.org"),
        ("speaker", {"part_in_upr": "word " * 102}, "there are 2 too many"),
        ("recommendations", {"recommendation_3": "word " * 61}, "there is 1 too many"),
        ("replacement", {"email": "amina(at)example"}, "like name@example.org"),
        ("issues", {"themes": ["999999"]}, "Select a valid choice"),
        ("safety", {"security_note": "x" * 4001}, "4000"),
    ],
)
def test_a_wrong_value_gets_a_clear_sentence_and_nothing_typed_is_lost(client, kenya, section, wrong, words):
    application = ApplicationFactory(state_call=kenya, complete=False)
    open_session(client, application)
    facts = posted(answers(full_name=NAME)[section]) | wrong
    answer = client.post(reverse("applications:section", args=[section]), facts)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert words in page
    assert 'role="alert"' in page
    for name, value in facts.items():
        if isinstance(value, str) and name not in wrong and len(value) > 4 and section != "safety":
            assert value in page
    assert Application.objects.get(pk=application.pk).name == facts.get("name", "")


def test_a_refused_file_leaves_the_one_before(client, kenya):
    application = ApplicationFactory(state_call=kenya)
    open_session(client, application)
    bad = SimpleUploadedFile("letter.pdf", b"MZ not a submission")
    answer = client.post(reverse("applications:section", args=["file"]), {"file": bad})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert Application.objects.get(pk=application.pk).upr_submission.version == 1


def test_another_file_becomes_the_next_version(client, kenya):
    application = ApplicationFactory(state_call=kenya)
    open_session(client, application)
    file = SimpleUploadedFile("new.pdf", pdf(pages=2))
    client.post(reverse("applications:section", args=["file"]), {"file": file})
    assert [(one.version, one.original_name) for one in Attachment.objects.order_by("version")] == [
        (1, "submission.pdf"),
        (2, "new.pdf"),
    ]


@pytest.mark.parametrize(
    "facts, missing",
    [
        ({"kind": "nhri"}, ["ganhri_status"]),
        ({"kind": "cso", "scope": ""}, ["scope"]),
        ({"name": "Права сейчас"}, ["name_latin"]),
        ({"under_18": True}, ["guardian_name", "guardian_agrees"]),
        ({"submission_kind": "joint"}, ["joint_submitters"]),
    ],
)
def test_some_answers_call_for_others(client, kenya, facts, missing):
    application = ApplicationFactory(state_call=kenya, **facts)
    assert list(application.missing().values()) == [missing]


def test_sending_names_each_missing_answer_and_where_it_goes(client, kenya):
    open_session(client, ApplicationFactory(state_call=kenya, name="", complete=True))
    page = client.post(reverse("applications:check"), {"understood": "on"}).content.decode()
    assert "Enter the name of your institution." in page
    assert reverse("applications:section", args=["institution"]) + "?then=check#id_name" in page
    assert not Application.objects.sent().exists()


def test_nobody_sends_without_having_seen_safety_and_consent(client, clock, kenya):
    application = ApplicationFactory(state_call=kenya)
    Application.objects.update(safety_seen_at=None)
    open_session(client, application)
    page = client.post(reverse("applications:check"), {"understood": "on"}).content.decode()
    assert "Look at the page “Safety and consent” and save it." in page


def test_sending_twice_is_sending_once(client, kenya):
    open_session(client, ApplicationFactory(state_call=kenya))
    answers_ = [client.post(reverse("applications:check"), {"understood": "on"}) for _click in range(2)]
    assert {answer.url for answer in answers_} == {reverse("applications:receipt")}
    assert Application.objects.sent().count() == 1
    assert Letter.objects.filter(kind="receipt").count() == 1


def test_what_was_sent_can_be_changed_but_not_emptied(client, clock, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    open_session(client, application)
    clock.shift(timedelta(hours=1))
    page = save(client, "institution", name="").content.decode()
    assert "Enter the name of your institution." in page
    save(client, "institution", name="Rights Soon")
    fresh = Application.objects.get(pk=application.pk)
    assert (fresh.name, fresh.status) == ("Rights Soon", "submitted")
    assert "Last changed" in client.get(reverse("applications:status")).content.decode()


# --- The deadline -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "closes_at, last, first_too_late",
    [
        ("2026-03-03 00:00:00+01:00", "2026-03-02 23:59:59+01:00", "2026-03-03 00:00:00+01:00"),
        ("2026-04-01 00:00:00+02:00", "2026-03-31 23:59:59+02:00", "2026-04-01 00:00:00+02:00"),
    ],
    ids=["winter", "summer"],
)
def test_everything_closes_on_the_second(client, clock, kenya, closes_at, last, first_too_late):
    kenya.extend(datetime.fromisoformat(closes_at), now=MONDAY)
    application = ApplicationFactory(state_call=StateCall.objects.with_state().get(pk=kenya.pk))
    with time_machine.travel(first_too_late, tick=False):
        open_session(client, application)
        assert client.get(reverse("applications:start", args=[54, "KE"])).status_code == 410
        assert save(client, "institution", name="Too Late").status_code == 410
        assert client.post(reverse("applications:check"), {"understood": "on"}).status_code == 410
    assert Application.objects.get().status == "draft"
    with time_machine.travel(last, tick=False):
        open_session(client, application)
        assert client.get(reverse("applications:start", args=[54, "KE"])).status_code == 200
        assert save(client, "institution", name="In Time").status_code == 302
        assert client.post(reverse("applications:check"), {"understood": "on"}).status_code == 302
    assert (Application.objects.get().status, Application.objects.get().name) == ("submitted", "In Time")


def test_late_is_a_page_that_says_so_and_gives_back_what_was_typed(client, kenya):
    application = ApplicationFactory(state_call=kenya)
    with time_machine.travel("2026-03-23 00:00:00+01:00", tick=False):
        open_session(client, application)
        answer = save(client, "issues", issues="Everything I know about prisons.")
    page = answer.content.decode()
    assert answer.status_code == 410
    assert "The deadline for Kenya was Sun 22 March 2026, 23:59 Geneva time." in page
    assert "Everything I know about prisons." in page
    assert Event.objects.about(application).filter(refused=True).count() == 0  # it was seen before it was tried


def test_the_database_has_the_last_word_on_the_deadline(kenya):
    application = ApplicationFactory(state_call=kenya)
    StateCall.objects.update(closes_at=MONDAY)  # staff moved it while the form was being read
    with pytest.raises(Exception, match="not open"):
        application.submit(now=MONDAY)
    assert Event.objects.about(application).last().refused


def test_consent_and_the_private_note_may_be_changed_after_the_deadline(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True, consents=["name", "photo"])
    with time_machine.travel("2026-04-02 12:00:00+02:00", tick=False):
        open_session(client, application)
        client.post(
            reverse("applications:section", args=["safety"]), {"consent_photo": "on", "security_note": "Afraid."}
        )
    fresh = Application.objects.get(pk=application.pk)
    assert fresh.standing_consents() == {"photo"}
    assert [(consent.item, consent.withdrawn_at is None) for consent in fresh.consents.order_by("item")] == [
        ("name", False),
        ("photo", True),
    ]
    assert fresh.security_note == "Afraid."


# --- Leaving ----------------------------------------------------------------------------------------------------------


def test_withdrawing_needs_a_tick_and_is_confirmed_by_mail(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    open_session(client, application)
    assert client.post(reverse("applications:withdraw"), {}).status_code == 200
    for _click in range(2):
        assert client.post(reverse("applications:withdraw"), {"sure": "on"}).url == reverse("applications:status")
    assert Application.objects.get().status == "withdrawn"
    assert Letter.objects.filter(kind="withdrawn").count() == 1
    assert "taken back" in client.get(reverse("applications:status")).content.decode()


@pytest.mark.parametrize("status", ["submitted", "accepted", "waitlisted", "declined", "withdrawn"])
def test_the_status_page_says_where_it_stands(client, kenya, status):
    open_session(client, ApplicationFactory(state_call=kenya, **{status: True}))
    assert client.get(reverse("applications:tasks"), follow=True).status_code == 200


@pytest.mark.parametrize("status", ["accepted", "withdrawn"])
def test_after_an_answer_or_a_withdrawal_the_form_leads_to_the_status_page(client, kenya, status):
    application = ApplicationFactory(state_call=kenya, **{status: True})
    open_session(client, application)
    for answer in (
        client.get(reverse("applications:section", args=["issues"])),
        save(client, "institution", name="New"),
    ):
        assert answer.url == reverse("applications:status")
    assert Application.objects.get().name == "Rights Now"


def test_leaving_forgets_the_form_on_this_device(client, kenya):
    open_session(client, ApplicationFactory(state_call=kenya))
    assert client.get(reverse("applications:leave")).status_code == 405
    client.post(reverse("applications:leave"))
    assert client.get(reverse("applications:tasks")).status_code == 404


PERSONAL = ["tasks", "check", "receipt", "status", "withdraw", "erase", "everything"]


@pytest.mark.parametrize("name", PERSONAL)
def test_without_a_session_a_personal_page_is_not_there(client, name):
    answer = client.get(reverse(f"applications:{name}"))
    assert answer.status_code == 404
    assert "Please open your link again" in answer.content.decode()


def test_a_dead_session_gives_back_what_was_typed(client, kenya):
    answer = save(client, "issues", issues="Everything I know about prisons.")
    assert answer.status_code == 404
    assert "Everything I know about prisons." in answer.content.decode()


@pytest.mark.parametrize("name", [*PERSONAL, "section"])
def test_no_browser_keeps_a_personal_page_and_its_title_names_nobody(client, kenya, name):
    open_session(client, ApplicationFactory(state_call=kenya, submitted=True, full_name=NAME))
    answer = client.get(reverse(f"applications:{name}", args=["speaker"] if name == "section" else []), follow=True)
    assert "no-store" in answer["Cache-Control"]
    title = re.search("<title>(.*?)</title>", answer.content.decode(), re.DOTALL)[1]
    assert not re.search("Canary|Rights Now|Kenya|@", title)


@pytest.mark.parametrize("name", [*PERSONAL, *rules.SECTIONS])
def test_looking_at_a_page_changes_nothing(client, kenya, name):
    open_session(client, ApplicationFactory(state_call=kenya))
    args = [] if name in PERSONAL else [name]
    address = reverse("applications:section" if args else f"applications:{name}", args=args)
    before = list(Application.objects.values()), Event.objects.count(), Letter.objects.count()
    client.get(address)
    client.head(address)
    assert (list(Application.objects.values()), Event.objects.count(), Letter.objects.count()) == before


def test_nothing_personal_reaches_the_logs(client, clock, kenya, caplog):
    caplog.set_level(logging.DEBUG)
    begin(client, clock)
    open_session(client, Application.objects.get())
    for section in ("institution", "speaker", "issues", "safety"):
        save(client, section, full_name=NAME, name="Canary Rights", security_note="Canary note")
    client.post(reverse("applications:check"), {"understood": "on"})
    client.get(reverse("applications:open", args=["x" * 43]))
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("factory")]
    assert not [message for message in ours if "anary" in message]


def test_a_whole_application_costs_few_queries(client, clock, kenya):
    """Twenty-four requests, from the State's page to the receipt; none asks twice for what it has."""
    facts = {section: posted(answers().get(section, {})) | {"save": "1"} for section in rules.SECTIONS}
    with CaptureQueriesContext(connection) as counted:
        begin(client, clock)
        address = path_in(Letter.objects.get())
        client.get(address)
        client.post(address)
        client.get(reverse("applications:tasks"))
        for section in rules.SECTIONS:
            client.get(reverse("applications:section", args=[section]))
            if section == "file":
                facts[section] |= {"file": SimpleUploadedFile("submission.pdf", pdf())}
            client.post(reverse("applications:section", args=[section]), facts[section])
        client.get(reverse("applications:check"))
        client.post(reverse("applications:check"), {"understood": "on"})
        client.get(reverse("applications:receipt"))
    assert Application.objects.sent().count() == 1
    statements = [query["sql"] for query in counted.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 60  # four of them put it beside what the same organisation sent before
