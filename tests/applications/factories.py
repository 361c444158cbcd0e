"""Calls, applications and contacts for tests, each made by the product's own steps.

ApplicationFactory()                  a draft, complete, so that it can be sent
ApplicationFactory(complete=False)    a draft with nothing in it
ApplicationFactory(submitted=True)    sent; also accepted=True, confirmed=True (and its seat confirmed),
                                      waitlisted=True, declined=True, withdrawn=True

A file that is attached waits in quarantine, where staff cannot see it; `looked_through(application)` does what the bell
does, for all that wait, in real processes.
"""

from datetime import datetime, timedelta

import factory

from applications import cleaning
from applications.models import Application, Attachment, Call, Contact, StateCall, Theme
from presessions import vault
from presessions.upr.dates import GENEVA
from tests.accounts.factories import StaffFactory
from tests.applications import hostile
from tests.upr.factories import CountryMeetingFactory

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=GENEVA)
OPENS_AT = datetime(2026, 2, 2, 9, 0, tzinfo=GENEVA)
CLOSES_AT = datetime(2026, 3, 23, 0, 0, tzinfo=GENEVA)
PDF = hostile.pdf()

DECISIONS = {"accepted": "accept", "waitlisted": "waitlist", "declined": "decline"}


class StateCallFactory(factory.django.DjangoModelFactory):
    """One State's open call: Monday 2 February to Sunday 22 March 2026, 23:59."""

    class Meta:
        model = StateCall

    @classmethod
    def _create(cls, model, *, meeting=None, opens_at=OPENS_AT, closes_at=None, call_closes_at=CLOSES_AT, now=MONDAY):
        meeting = meeting or CountryMeetingFactory()
        call = Call.objects.filter(series=meeting.series).first()
        if call is None:
            call = Call.open_for(meeting.series, opens_at=opens_at, closes_at=call_closes_at, now=now)
        call.include_meetings(now=now)
        state_call = StateCall.objects.with_state().get(meeting=meeting)
        if closes_at:
            state_call.extend(closes_at, now=now)
        return state_call


def upload(content=PDF, name="submission.pdf"):
    """A file on its way in, as a view gets it."""
    file = vault.EncryptedUpload.create(name)
    file.write(content)
    file.finish()
    return file


class Verdict:
    """What files.check says of a good PDF, without the time that looking into one takes."""

    content_type, name = "pdf", "submission.pdf"


def looked_through(application, kind=Attachment.Kind.UPR_SUBMISSION, *, now=MONDAY):
    """The newest file of a kind after all that waited has been looked through: checked, or refused."""
    cleaning.look_through(now)
    return application.attachments.filter(kind=kind).order_by("-version").first()


def answers(**changed):
    """Complete answers by section. changed -- single answers, by their own names"""
    sections = {
        "institution": {
            "kind": "cso",
            "name": "Rights Now",
            "name_latin": "",
            "ganhri_status": "",
            "ganhri_status_on": None,
            "scope": "national",
            "founded_year": 1998,
            "ecosoc_status": "none",
            "aims": "We watch over the rights of prisoners.",
            "website": "",
            "address": "",
            "phone": "",
            "is_coalition": None,
            "coalition_members": "",
        },
        "speaker": {
            "full_name": "Amina Canary",
            "position": "Director",
            "part_in_upr": "Wrote our submission.",
            "email": "amina@example.org",
            "phone": "",
            "gender": "",
            "spoken_english": "fluent",
            "attends": "in_person",
            "under_18": False,
            "guardian_name": "",
            "guardian_agrees": False,
        },
        "replacement": {},
        "issues": {"issues": "Conditions in prisons.", "follow_up": ""},
        "recommendations": {
            "recommendation_1": "Ratify the Optional Protocol by 2027.",
            **{f"recommendation_{number}": "" for number in range(2, 6)},
        },
        "submission": {"submission_kind": "own", "joint_submitters": ""},
        "safety": {"security_note": ""},
    }
    for name, value in changed.items():
        next(facts for facts in sections.values() if name in facts)[name] = value
    sections["issues"]["themes"] = [Theme.objects.get_or_create(slug="justice", defaults={"name_en": "Justice"})[0]]
    return sections


class ApplicationFactory(factory.django.DjangoModelFactory):
    """See the top of this file. Further arguments are answers: `full_name="Amina Canary"`."""

    class Meta:
        model = Application

    email = factory.Sequence(lambda n: f"applicant{n}@example.org")
    language = "en"
    now = MONDAY

    @classmethod
    def _create(
        cls, model, *, email, language, now, state_call=None, organisation_name=None, consents=(), complete=True,
        submitted=False, accepted=False, confirmed=False, waitlisted=False, declined=False, withdrawn=False, **facts,
    ):  # fmt: skip
        application = model.start(state_call or StateCallFactory(), email=email, language=language, now=now)
        decided = {"accepted": accepted or confirmed, "waitlisted": waitlisted, "declined": declined}
        if organisation_name:
            facts["name"] = organisation_name
        if complete:
            for section, given in answers(**facts).items():
                application.save_section(section, given | {f"consent_{item}": True for item in consents}, now=now)
            application.attach(upload(), Attachment.Kind.UPR_SUBMISSION, Verdict, now=now)
        if submitted or any(decided.values()):
            application.submit(now=now)
        for status, wanted in decided.items():
            if wanted:
                from applications import decisions  # the steps before it need no decision

                staff = StaffFactory()
                application.prepare(DECISIONS[status], by=staff, now=now)
                decisions.release(application.meeting, by=staff, now=now)
        if confirmed:
            from applications import seat  # as above

            seat.confirm(application, now=now + timedelta(minutes=1))
        if withdrawn:
            application.withdraw(now=now)
        application.refresh_from_db()
        return application


class ContactFactory(factory.django.DjangoModelFactory):
    """A confirmed contact; ContactFactory(confirmed=False) has only signed up."""

    class Meta:
        model = Contact

    email = factory.Sequence(lambda n: f"contact{n}@example.org")
    language = "en"
    now = MONDAY

    @classmethod
    def _create(cls, model, *, email, language, now, states=(), confirmed=True):
        contact = model.sign_up(email=email, language=language, states=states, now=now)
        if confirmed:
            contact.confirm(now=now + timedelta(minutes=1))
        return contact
