"""A list that grows from one row to fifty costs the same number of queries: every list of staff, every public page.

No page can be forgotten. Lists of the admin are taken from its registry and pages without arguments from the table of
addresses; one with arguments is red until `pages_with_arguments` knows a page of it, or NO_LIST says why it is none.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from applications.models import (
    Agenda,
    Application,
    Assessment,
    Attachment,
    Call,
    Contact,
    InformationRequest,
    MadeRecommendation,
    Organisation,
    Recommendation,
    Seat,
    Speaker,
    SpeakerFeedback,
    StateCall,
    TakenUp,
    Theme,
)
from missions.models import (
    Delegate,
    DoorNote,
    FloorQuestion,
    Invitation,
    MissionAddress,
    MissionFeedback,
    MissionTask,
    PermanentMission,
    RegisterCheck,
    Reply,
)
from presessions import trail, views
from presessions.accounts.models import User
from presessions.mail.models import Alarm, Attempt, Letter, LinkVisit, Mailing, PersonalLink, Report
from presessions.upr.models import CountryMeeting, Series, StateUnderReview, WorkingGroupSession
from tests.house.world import MONDAY
from tests.upr.factories import CODES, StateFactory

MANY = 50
WORDS = ("x", "x@example.org", "%\\", "K7QF2-9MXA4 É <b>")

NO_LIST = {
    "applications:open": "one button",
    "applications:upload_piece": "how much of one file has come",
    "applications:contact_confirm": "one button",
    "applications:contact_leave": "one button",
    "missions:calendar": "one entry of a calendar",
    "applications:pack_file": "one file",
    "missions:pack_file": "one file",
    "missions:pass_on": "POST only",
    "missions:close_colleague": "POST only",
    "admin:applications_assess": "POST only",
    "admin:applications_prepare": "POST only",
    "admin:applications_release": "POST only",
    "admin:applications_prepare_many": "POST only",
    "admin:applications_reverse": "one letter",
    "admin:applications_ask": "one form and one letter",
    "admin:applications_ask_back": "POST only",
    "admin:applications_late_allow": "one form",
    "admin:applications_security_note": "POST only",
    "admin:applications_passport": "POST only",
    "admin:applications_reveal": "POST only",
    "admin:applications_hide": "POST only",
    "admin:applications_mark_at_risk": "POST only",
    "admin:applications_unmark_at_risk": "POST only",
    "admin:applications_document": "one file",
    "admin:applications_recommendation": "one form",
    "admin:applications_recommendation_add": "one form",
    "admin:applications_recommendations_import": "one form",
    **dict.fromkeys(
        (f"admin:applications_recommendations_{name}" for name in ("join", "publish", "tell", "file")), "POST only"
    ),
    "missions:feedback": "one form",
    "admin:applications_panel_promote": "POST only",
    "admin:applications_panel_prepare": "POST only",
    "admin:applications_agenda_publish": "POST only",
    "admin:applications_agenda_file": "one file",
    "admin:applications_sheet_file": "POST only",
    "admin:applications_document_text": "one file",
    "admin:applications_organisation_split": "POST only",
    "admin:applications_erase": "POST only",
    "admin:applications_enter_go_on": "POST only",
    "admin:mail_letter_html": "one letter as HTML",
    "admin:mail_mailing_text": "one letter as HTML",
    "admin:mail_text_html": "one letter as HTML",
    "admin:accounts_reset_second_factor": "POST only",
    "admin:accounts_send_link": "POST only",
    "admin:accounts_log_out": "POST only",
    "admin:new_password": "one form",
    "admin:upr_series_set_up_plan": "leads to the series that stands; its plan has a line for each State of a session",
    "admin:upr_series_reopen": "POST only",
    "admin:upr_meeting_off": "one form",
    "admin:upr_meeting_move": "one form",
    "admin:upr_meeting_tell": "one button",
    "admin:upr_series_tell": "one button, as for one meeting",
    "admin:upr_meeting_extend": "one form",
    "admin:missions_door_paper_file": "one file",
    "admin:app_list": "the models of one app, of which there is a fixed number",
    "admin:view_on_site": "leads elsewhere",
    "admin:trail_event_about": "leads elsewhere",
}


def addresses(resolver=None, namespace=()):
    """(name, names of its arguments) of every address of ours that has a name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern, (*namespace, *filter(None, [pattern.namespace])))
        elif pattern.name:
            yield ":".join([*namespace, pattern.name]), {*pattern.pattern.regex.groupindex, *pattern.pattern.converters}


def admin_page(model, name, *arguments):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)


def lists():
    return {f"{model._meta.label} list": admin_page(model, "changelist") for model in admin.site._registry}


def pages_of_rows(world):
    """The page of one row of each model in the admin: that row to which `grow` adds what belongs to it."""
    letter = world.newest("invitation").letter
    mission = world.invitation.mission
    grown = [
        applicant(world),
        applicant(world).organisation,
        world.kenya,
        world.invitation,
        letter,
        letter.mailing,
        mission,
        world.series,
    ]
    rows = {type(row): row for row in [*grown, world.series.session, world.series.call, world.ada]}
    rows = {model: rows.get(model) or model.objects.order_by("pk").first() for model in admin.site._registry}
    return {f"{model._meta.label} page": admin_page(model, "change", row.pk) for model, row in rows.items()}


def pages_without_arguments():
    return {name: reverse(name) for name, arguments in addresses() if not arguments}


def pages_with_arguments(world):
    """One page of each address that takes arguments and shows rows."""
    number = world.series.number
    return {
        "applications:series": reverse("applications:series", args=[number]),
        "applications:meeting": reverse("applications:meeting", args=[number, "KE"]),
        "applications:state": reverse("applications:state", args=["KE"]),
        "applications:start": reverse("applications:start", args=[number, "KE"]),
        "applications:section": reverse("applications:section", args=["issues"]),
        **{
            f"applications:{name}": reverse(f"applications:{name}", args=[number, "KE"])
            for name in ("pack", "pack_download")
        },
        "applications:packs": reverse("applications:packs", args=[number]),
        "missions:invitation": world.invitation_path,
        "missions:register_check": world.check_path,
        "missions:packs": f"{world.invitation_path}pack/",
        "missions:pack": f"{world.invitation_path}KE/pack/",
        "missions:pack_download": f"{world.invitation_path}KE/pack/all.zip",
        "missions:my_meetings": f"{world.invitation_path}my-meetings.ics",
        "missions:all_meetings": f"{world.invitation_path}all.ics",
        "feeds:series": reverse("feeds:series", args=[number]),
        "feeds:meeting": reverse("feeds:meeting", args=[number, "KE"]),
        "feeds:state": reverse("feeds:state", args=["KE"]),
        "admin:applications_figures_series": reverse("admin:applications_figures_series", args=[world.series.pk]),
        "admin:applications_decisions": reverse("admin:applications_decisions", args=[world.kenya.pk]),
        **{
            f"admin:applications_{name}": reverse(f"admin:applications_{name}", args=[world.kenya.pk])
            for name in ("panel", "agenda", "sheet", "screen", "recommendations")
        },
        "applications:recommendations": reverse("applications:recommendations", args=[number, "KE"]),
        "admin:upr_series_feedback": reverse("admin:upr_series_feedback", args=[world.series.pk]),
        "admin:applications_matrix": reverse("admin:applications_matrix", args=[world.kenya.pk]),
        "admin:applications_review_one": reverse("admin:applications_review_one", args=[applicant(world).pk]),
        "admin:applications_organisation_merge": merging(world),
        "admin:upr_series_answers": reverse("admin:upr_series_answers", args=[world.series.pk]),
        **{
            f"admin:upr_{name}": reverse(f"admin:upr_{name}", args=[row.pk])
            for name, row in (
                ("series_report", world.series),
                ("series_published", world.series),
                ("meeting_report", world.kenya),
            )
        },
        "admin:upr_series_close": reverse("admin:upr_series_close", args=[world.series.pk]),
        **{
            f"admin:missions_{name}": reverse(f"admin:missions_{name}", args=[world.kenya.pk])
            for name in ("door", "door_state", "door_paper", "door_correct")
        },
        "admin:mail_text": reverse("admin:mail_text", args=[world.newest("invitation").letter.mailing_id, "en"]),
    }


def merging(world):
    """Of the applicant's organisation, with the one that staff entered."""
    register, other = applicant(world).organisation, Organisation.objects.filter(applications=None).earliest("pk")
    return f"{reverse('admin:applications_organisation_merge', args=[register.pk])}?with={other.reference}"


def applicant(world):
    """Whose application can still be changed."""
    return Application.objects.with_state().get(reference=link_of_applicant(world).letter.recipient_id)


def link_of_applicant(world):
    submitted = set(Application.objects.filter(status="submitted", kind="cso").values_list("reference", flat=True))
    return next(mail for mail in world.mails if mail.kind == "receipt" and mail.letter.recipient_id in submitted)


def grow(world, numbers):
    """One more of everything for each number, beside what is there and under it. Rows only: how they came about is
    not the question here."""
    now, series, call, one = timezone.now(), world.series, world.series.call, applicant(world)
    kenya, invitation, letter = world.kenya, world.invitation, world.newest("invitation").letter
    codes = [code for code in CODES if code not in ("KE", "TR")]
    for n in numbers:
        user = User.objects.create(email=f"more{n}@example.org", name=f"More {n}", is_staff=True)
        Group.objects.create(name=f"group {n}")
        one.themes.add(Theme.objects.create(slug=f"theme-{n}", name_en=f"Theme {n}"))
        alike = Organisation.objects.create(name=f"Name {n}", kind="cso")
        alike.learn(one.name)
        contact = Contact.objects.create(email=f"c{n}@example.org", email_index=f"{n}", asked_at=now, entered_by=user)
        contact.states.add("KE", "TR")

        later = Series.objects.create(session=WorkingGroupSession.objects.create(number=100 + n))
        Call.objects.create(series=later)
        review = StateUnderReview.objects.create(session=series.session, state=StateFactory(iso2=codes[n]))
        meeting = CountryMeeting.objects.create(state_under_review=review)
        StateCall.objects.create(call=call, meeting=meeting)

        seated = Application.objects.create(
            state_call=one.state_call, email_index=f"{n}", created_at=now, submitted_at=now, status="submitted",
            prepared="accept", prepared_by=user, organisation=one.organisation,
        )  # fmt: skip
        Seat.objects.create(panel=kenya.panel, application=seated, place="panel", position=n + 5, minutes=5)
        published = Agenda.objects.filter(meeting=kenya).first()
        items = [*published.content["items"], {"what": "speaker", "minutes": 5, "reference": seated.reference}]
        content = {**published.content, "items": items}
        Agenda.objects.create(meeting=kenya, number=published.number + 1, content=content, published_at=now)
        Application.objects.create(
            state_call=one.state_call, email_index=f"entered {n}", created_at=now, received_at=now, entered_by=user
        )
        Assessment.objects.create(application=one, by=user, saved_at=now, overall="strong", note="Good.")
        InformationRequest.objects.create(
            application=one, sections=["issues"], words="More?", until=now, asked_at=now, asked_by=user, ended_at=now
        )
        Attachment.objects.create(application=one, kind="statement", version=n + 10, size=1, uploaded_at=now)
        Speaker.objects.create(application=one, full_name=f"Speaker {n}", replaced_at=now)
        Recommendation.objects.create(application=one, position=n + 10, text="Ratify it.")

        spoke = Application.objects.create(
            state_call=world.call_of["KE"], email_index=f"spoke {n}", created_at=now, submitted_at=now,
            status="confirmed", seat_answered_at=now,
        )  # fmt: skip
        proposed = Recommendation.objects.create(application=spoke, position=1, text="Ratify it.")
        made = MadeRecommendation.objects.create(
            state_under_review=kenya.state_under_review, number=f"150.{n}", text="Ratify it soon.", entered_at=now
        )
        made.made_by.add("TR", "KE")
        TakenUp.objects.create(proposed=proposed, made=made, noted_at=now)
        SpeakerFeedback.objects.create(application=spoke, useful=3, words=f"Warmer, {n}.", given_at=now)

        mission = PermanentMission.objects.create(code=review.state.pk, state=review.state)
        MissionAddress.objects.create(mission=mission, email=f"m{n}@example.org")
        MissionAddress.objects.create(mission=invitation.mission, email=f"k{n}@example.org")
        other = Invitation.objects.create(mission=mission, series=series, created_at=now, answered_at=now)
        MissionFeedback.objects.create(invitation=other, useful=3, words=f"Earlier, {n}.", given_at=now)
        Reply.objects.create(invitation=other, meeting=kenya, answer="in_person", at=now)
        Reply.objects.create(invitation=invitation, meeting=meeting, answer="online", at=now)
        if n < 15:  # a mission may name twenty
            Delegate.objects.create(invitation=invitation, meeting=meeting, name=f"Delegate {n}", position=n + 5)

        DoorNote.objects.create(
            key=uuid4(), meeting=kenya, mission=mission, people=2, noted_at=now, received_at=now, by=user
        )
        FloorQuestion.objects.create(
            key=uuid4(), meeting=kenya, mission=mission, to=seated, words="Why?", noted_at=now, received_at=now, by=user
        )

        RegisterCheck.objects.create(mission=mission, year=2026, status="changes", asked_at=now, answered_at=now)
        RegisterCheck.objects.create(mission=invitation.mission, year=3000 + n, asked_at=now)
        MissionTask.objects.create(mission=mission, series=series, reason="bounced", opened_at=now)
        MissionTask.objects.create(
            mission=invitation.mission, series=later, reason="lost", opened_at=now, letter=letter
        )

        Mailing.objects.create(kind="briefing", series=later, meeting=meeting, anchor="working_group")
        Letter.objects.create(
            key=f"more:{n}", kind="invitation", mailing=letter.mailing, recipient_kind="mission", state="failed",
            recipient_id=str(mission.pk), language="en", created_at=now, due_at=now, not_after=now,
        )  # fmt: skip
        Alarm.objects.create(code=f"unreached:{letter.mailing_id + n}", since_at=now)
        Attempt.objects.create(letter=letter, at=now, number=n, state="deferred")
        Report.objects.create(fingerprint=f"{n}", read_at=now, verdict="unknown", letter=letter, text="Who are you?")
        link = PersonalLink.objects.create(
            purpose="invitation", target_id=invitation.reference, token_hash=bytes([n]), letter=letter, made_at=now
        )
        LinkVisit.objects.create(link=link, at=now, method="GET", maybe_filter=False)
        for row in (one, letter, letter.mailing, invitation):
            trail.record(row, "looked", now=now, by=user, reason="Because.")


def cost(browser, path):
    """A page, and (its status, its queries)."""
    views.forget()  # a health that was looked at a moment ago would cost nothing
    with CaptureQueriesContext(connection) as queries:
        page = browser.get(path)
    return page, (page.status_code, len(queries))


@pytest.fixture
def browsers(world):
    """Staff for the admin; for all else somebody whose application is open in this browser."""
    world.clock.move_to(MONDAY + timedelta(hours=2))
    browser, staff = Client(), world.staff()
    browser.post(link_of_applicant(world).path)
    own_view = {"overall": "suitable"}  # one's own opens the others'
    staff.post(reverse("admin:applications_assess", args=[applicant(world).pk]), own_view)
    return lambda name: staff if name.startswith("admin:") or name.endswith((" list", " page")) else browser


def test_every_page_with_arguments_is_known_to_be_a_list_or_none(world):
    of_one_row = tuple(f"_{page}" for page in ("change", "history", "delete"))  # of Django's admin, for each model
    named = {name for name, arguments in addresses() if arguments}
    ours = {name for name in named - NO_LIST.keys() if not (name.startswith("admin:") and name.endswith(of_one_row))}
    assert ours == pages_with_arguments(world).keys()
    assert NO_LIST.keys() <= named


def test_no_page_costs_more_queries_for_fifty_rows_than_for_one(world, browsers):
    grow(world, range(1))
    pages = {**lists(), **pages_of_rows(world), **pages_without_arguments(), **pages_with_arguments(world)}
    for concrete in (True, False):  # Django asks for each once, and remembers; a role is a group, and is not
        ContentType.objects.get_for_models(*apps.get_models(), for_concrete_models=concrete)
    few = {name: cost(browsers(name), path)[1] for name, path in pages.items()}
    grow(world, range(1, MANY))
    many = {}
    for name, path in pages.items():
        page, many[name] = cost(browsers(name), path)
        if name in lists():  # a list that did not grow would prove nothing
            assert len(page.context["cl"].result_list) >= MANY, name
    assert {name: (few[name], many[name]) for name in pages if few[name] != many[name]} == {}
    shown = {name for name, (status, queries) in many.items() if status == 200}
    assert shown >= {*lists(), *pages_of_rows(world), *pages_with_arguments(world), "applications:home"}


@pytest.mark.parametrize("name", lists())
def test_every_list_of_staff_can_be_searched_for_anything(world, browsers, name):
    assert [browsers(name).get(lists()[name], {"q": word}).status_code for word in WORDS] == [200] * len(WORDS)
