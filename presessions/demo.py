"""The demonstration: three series on the real States of sessions 52 to 54, with invented organisations. Wiring.

Nothing here writes a status. Every row is made by the steps that staff, applicants and missions take, at moments of the
last five months, and between them the mail room does its work as the bell would ring it. Left running, it goes on by
itself. All addresses are under example.org, which belongs to nobody.

    Pre-sessions 54   the call is open; a few have applied, one of them has only begun
    Pre-sessions 53   the call is over with forty applications; assessments and decisions are under way; the invitation
                      is a click away
    Pre-sessions 52   over and closed: held, noted at the door, thanked for, followed up (`demo_past`)
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connections

from applications import agenda, asking, assessments, cleaning, decisions, files, late, panel, seat
from applications.models import Application, Attachment, Call, Contact, Theme
from missions import checking
from missions.models import MissionAddress, PermanentMission, RegisterCheck
from presessions import demo_papers, demo_past, demo_people
from presessions.accounts.models import Authenticator, User
from presessions.mail import delivery
from presessions.mail.models import Mailing
from presessions.upr.dates import closes_after, day_of, geneva
from presessions.upr.models import Series, State, WorkingGroupSession

HOURS = ((10, 0), (11, 30), (14, 30), (16, 0))  # of meetings, each day
ROOMS = cycle(("Room XXII", "Room XXIV"))
PEOPLE = cycle(demo_people.PEOPLE)
LOOKING = 2  # files that are looked through at the same time
FRENCH = ("BE", "BF", "BI", "BJ", "CD", "CF", "CG", "CH", "CI", "CM", "DJ", "DZ", "FR", "GA", "GN", "HT", "KM", "LU",
          "MA", "MC", "MG", "ML", "MR", "NE", "SN", "TD", "TG", "TN")  # fmt: skip

# The first twelve are told of below: Tanzania is answered, Greece prepared. The others are there to be assessed.
STATES_53 = ("TZ", "TZ", "TZ", "TZ", "GR", "GR", "GR", "TH", "TH", "IE", "IE", "PG", "TH", "TH", "TH", "IE", "IE", "PG",
             "PG", "US", "US", "US", "US", "US", "US", "HU", "HU", "HU", "HU", "TT", "TT", "TT", "TJ", "TJ", "TJ", "SZ",
             "SZ", "SZ", "WS", "SR")  # fmt: skip
WITH_SECURITY_NOTE = (1, 5, 17, 33)  # which of them ask us to take care
WRITTEN_OTHERWISE = (34, "Global Press Watch International", "applicant53-7@example.org")  # of the same as the seventh

WITHOUT_ADDRESS = ("KI", "TV")  # nobody knows whether they have a mission in Geneva: somebody's task, each series

CONTACTS = (("en", ()), ("en", ("TG", "UG", "ZW")), ("fr", ("TG", "HT")), ("fr", ()), ("en", ("IS", "LT")), ("en", ()))


class Refused(Exception):
    """The demonstration cannot be made here. str() says why."""


def make(now, *, email, password, phone, say):
    """Make the demonstration unless it is there. Raises Refused where real series stand.

    phone -- the key of the authenticator app with which the log-in is completed; `make code` shows what it shows
    """
    if WorkingGroupSession.objects.filter(demonstration=True).exists():
        say("The demonstration is there already.")
        return
    if Series.objects.exists():
        raise Refused("This installation has series of its own: the demonstration would stand among them.")
    ada = User.objects.create_user(email, password, name="Ada Keller", is_staff=True)
    Authenticator.objects.create(user=ada, key=phone, name="phone", made_at=now)
    ada.groups.set(Group.objects.filter(name__in=("Administrator", "Safety officer")))
    ben = _colleague("ben@example.org", "Ben Rossi", "Reviewer")
    _colleague("chloe@example.org", "Chloé Martin", "Series lead")
    _fill_register(now)
    say("  a register of Permanent Missions")
    story = Story(now, ada, ben, say)
    demo_past.tell(story)
    story.tell_53()
    story.tell_54()
    story.check_register()
    story.until(now)


def _colleague(email, name, role):
    """Somebody else on the staff, whose password nobody knows: a member with the right for it may send a new one."""
    person = User.objects.create_user(email, name=name, is_staff=True)
    person.groups.set(Group.objects.filter(name=role))
    return person


def _fill_register(now):
    """A row for each Member State and the observers; an address for most of those not known to have no mission."""
    call_command("load_missions", verbosity=0)
    known = PermanentMission.objects.exclude(in_geneva=PermanentMission.InGeneva.NO)
    for mission in known.exclude(code__in=WITHOUT_ADDRESS):
        MissionAddress.objects.create(mission=mission, email=f"mission-{mission.code.lower()}@example.org")
    PermanentMission.objects.filter(code__in=FRENCH).update(language="fr")


class Story:
    """What happened in the last five months, told forwards; the bell rings whenever time passes."""

    def __init__(self, now, ada, ben, say):
        self.now, self.ada, self.ben, self.say = now, ada, ben, say
        self.answered = []  # invitations of missions, in the order of their names
        self.today = day_of(now)

    def day(self, days):
        return self.today + timedelta(days=days)

    def monday_after(self, days):
        day = self.day(days)
        return day + timedelta(days=-day.weekday() % 7)

    def until(self, instant):
        """Let time pass: each mailing that falls due on the way is written and sent, then whatever else waits."""
        due = Mailing.objects.filter(state=Mailing.State.PLANNED, due_at__lte=instant).order_by("due_at")
        for moment in [*due.values_list("due_at", flat=True), instant]:
            delivery.drain(0, now=lambda moment=moment: moment)

    def tell_53(self):
        began = geneva(self.day(-60), 10)
        series = self.set_up(53, working_group=self.monday_after(70), now=began)
        call = self.open_call(series, opens_at=geneva(self.day(-55), 9), last_day=self.day(-16), now=began)
        self.say("  Pre-sessions 53: set up, a call")
        applications = self.apply(call, STATES_53, -40)
        self.assess([*applications[:12], *applications[12::2]])
        self.decide(series)
        self.ask_for_more(series, call)
        self.say(f"  Pre-sessions 53: {len(applications)} applications, many assessed, some answered")

    def check_register(self):
        """Four missions are asked whether what we have of them is right: one says so, one asks for changes."""
        missions = PermanentMission.objects.filter(code__in=("CH", "FR", "KE", "TR"))
        checking.ask(missions, by=self.ada, now=geneva(self.day(-3), 10))
        checks = {check.mission.code: check for check in RegisterCheck.objects.select_related("mission__state")}
        checking.say_same(checks["CH"], now=geneva(self.day(-2), 9))
        said = checking.Wanted(new=(("human-rights-ke@example.org", "human_rights"),), form="Madam Ambassador,")
        checking.say_changes(checks["KE"], said, now=geneva(self.day(-1), 11))

    def tell_54(self):
        began = geneva(self.day(-14), 10)
        series = self.set_up(54, working_group=self.monday_after(84), now=began)
        call = self.open_call(series, opens_at=began, last_day=self.day(21), now=began)
        applications = self.apply(call, ("TG", "UG", "UG", "IS"), -5)
        with_draft = call.state_calls.get(meeting__state_under_review__state="ZW")
        Application.start(with_draft, email="draft@example.org", language="en", now=geneva(self.day(-2), 15))
        extended = call.state_calls.get(meeting__state_under_review__state="TL")
        extended.extend(
            closes_after(self.day(28)), now=geneva(self.day(-1), 11), by=self.ada, reason="A cyclone cut the lines."
        )
        self.say(f"  Pre-sessions 54: a call that is open, {len(applications)} applications")

    # --- What staff did --------------------------------------------------------------------------------------------

    def set_up(self, number, *, working_group, now, **facts):
        """A series five weeks before its Working Group session, its meetings from Tuesday to Friday."""
        session = WorkingGroupSession.objects.get(number=number)
        session.reschedule(
            now=now,
            by=self.ada,
            demonstration=True,
            starts_on=working_group,
            ends_on=working_group + timedelta(days=11),
        )
        tuesday = working_group - timedelta(days=34)
        series = Series.open_for(
            session,
            now=now,
            by=self.ada,
            first_day=tuesday,
            last_day=tuesday + timedelta(days=3),
            days_confirmed=True,
            venue="Palais des Nations, Geneva",
            reply_to="pre-sessions@example.org",
            **facts,
        )
        starts = [geneva(tuesday + timedelta(days=day), *hour) for day in range(4) for hour in HOURS]
        for meeting, starts_at in zip(series.meetings().with_state(), starts, strict=False):
            meeting.reschedule(now=now, by=self.ada, starts_at=starts_at, room=next(ROOMS))
        return series

    def open_call(self, series, *, opens_at, last_day, now):
        return Call.open_for(series, opens_at=opens_at, closes_at=closes_after(last_day), now=now, by=self.ada)

    def assess(self, applications):
        now = geneva(self.day(-12), 14)
        self.until(now)
        for number, application in enumerate(applications):
            view = {
                "national_voice": 3 if application.scope == "national" else 1,
                "follow_up": 1 + number % 3,
                "recommendations": 2 + number % 2,
                "new_theme": number % 4,
                "note": "Concrete and new to this panel." if number % 2 else "Overlaps with another application.",
                "overall": ("strong", "suitable", "suitable")[number % 3],
            }
            assessments.assess(application, by=self.ben, now=now + timedelta(minutes=6 * number), **view)

    def decide(self, series):
        """One meeting answered, one prepared; the rest is left to whoever tries this out."""
        now = geneva(self.day(-6), 11)
        self.until(now)
        answers = {"TZ": ("accept", "accept", "accept", "waitlist"), "GR": ("accept", "accept", "decline")}
        for state, prepared in answers.items():
            meeting = series.meetings().with_state().get(state_under_review__state=state)
            waiting = Application.objects.undecided().for_meeting(meeting).order_by("submitted_at")
            for application, decision in zip(waiting, prepared, strict=True):
                application.prepare(decision, by=self.ada, now=now)
            if state == "TZ":
                decisions.release(meeting, by=self.ada, now=now + timedelta(minutes=10))
                self.confirm_a_seat(meeting)
                self.compose(meeting)

    def ask_for_more(self, series, call):
        """Two on one State are asked for something; one has answered. Somebody else may still apply, with a reason."""
        words = "Which of the cases that you name have you followed yourselves? One sentence on each is enough."
        meeting = series.meetings().with_state().get(state_under_review__state="IE")
        waiting = Application.objects.undecided().for_meeting(meeting).with_state().order_by("submitted_at")
        for application, ago, answered in zip(waiting, (-4, -1), (True, False), strict=False):
            asked = geneva(self.day(ago), 15)
            until = closes_after(self.day(ago + 5))
            asking.ask(application, sections=["issues"], words=words, until=until, by=self.ada, now=asked)
            if answered:
                facts = application.answers("issues")
                facts["issues"] += " We followed both cases in court, and visited the two families."
                application.save_section("issues", facts, now=asked + timedelta(hours=20))
                asking.answer(application, now=asked + timedelta(hours=20, minutes=5))
        late.begin(
            call.state_calls.with_state().get(meeting__state_under_review__state="SR"),
            email="late@example.org", language="en", until=closes_after(self.day(3)), by=self.ada,
            reason="Their office was searched in the week of the deadline.", now=geneva(self.day(-1), 16),
        )  # fmt: skip

    def compose(self, meeting):
        """Those accepted have their places, the NHRI first; the agenda is published."""
        now = geneva(self.day(-4), 15)
        self.until(now)
        composed = panel.proposed(meeting, list(panel.placeable(meeting)))
        composed = replace(composed, moderator="Miloš Rao", note="Two of them speak about detention: keep them apart.")
        saved = panel.save(meeting, panel.of(meeting).version, composed, by=self.ada, now=now)
        agenda.publish(meeting, by=self.ada, now=now + timedelta(minutes=20), seen_version=saved.version)

    def confirm_a_seat(self, meeting):
        """The first of those accepted answers the next day; the others have still to."""
        now = geneva(self.day(-5), 9)
        self.until(now)
        accepted = Application.objects.with_state().for_meeting(meeting).filter(status=Application.Status.ACCEPTED)
        application = accepted.order_by("submitted_at").first()
        seat.confirm(application, now=now)
        seat.save_needs(application, {"badge": True, "interpretation": "French"}, now=now + timedelta(minutes=4))
        seat.publish_again(application, {"name", "organisation"}, now=now + timedelta(minutes=9))

    # --- What people outside did -----------------------------------------------------------------------------------

    def gather_contacts(self, now):
        for number, (language, states) in enumerate(CONTACTS, start=1):
            contact = Contact.sign_up(
                email=f"network{number}@example.org",
                language=language,
                states=State.objects.filter(pk__in=states),
                now=now,
            )
            self.until(now)
            contact.confirm(now=now + timedelta(minutes=20))
        return len(CONTACTS)

    def apply(self, call, states, first_day):
        """One organisation after the other applies, from the form's start to its receipt; returns the applications.
        Their files are looked through meanwhile, as the workers do."""
        applications, organisations = [], cycle(demo_people.ORGANISATIONS.items())
        with ThreadPoolExecutor(LOOKING) as workers:
            for number, (state, (name, answers)) in enumerate(zip(states, organisations, strict=False)):
                now = geneva(self.day(first_day), 16) + timedelta(hours=9 * number)
                self.until(now)
                state_call = call.state_calls.with_state().get(meeting__state_under_review__state=state)
                applications.append(_apply(state_call, number, name, answers, now))
                workers.submit(_look_through, now)
        self.until(now + timedelta(hours=1))  # the last receipt leaves before time leaps on
        cleaning.look_through(now + timedelta(hours=2))  # whatever a busy machine has put off
        return applications


def _look_through(now):
    try:
        cleaning.look_through(now)
    finally:
        connections.close_all()  # those of this thread


def _apply(state_call, number, name, answers, now):
    kind, scope, founded_year, slugs, issues, recommendation = answers
    state, (person, gender) = state_call.state, next(PEOPLE)
    full_name = name if scope == "international" else f"{name}, {state.name_en}"  # known from one State to the next
    address = f"applicant{state_call.series.number}-{number + 1}@example.org"
    if number == WRITTEN_OTHERWISE[0]:
        _number, full_name, address = WRITTEN_OTHERWISE
    application = Application.start(state_call, email=address, language="fr" if state.pk == "TG" else "en", now=now)
    application.save_section(
        "institution",
        {
            "kind": kind,
            "name": full_name,
            "scope": scope if kind == "cso" else "",
            "ganhri_status": "a" if kind == "nhri" else "",
            "ecosoc_status": ("none", "special", "roster")[number % 3] if kind == "cso" else "",
            "founded_year": founded_year,
            "aims": f"We document, advise and train since {founded_year}, with offices in the capital and two regions.",
        },
        now=now,
    )
    application.save_section(
        "speaker",
        {
            "full_name": person,
            "position": "Head of advocacy",
            "part_in_upr": "Led our submission and the consultations with our members.",
            "email": address,
            "phone": "",
            "gender": gender,
            "spoken_english": "fluent" if number % 2 else "good",
            "attends": "in_person" if number % 4 else "remote",
            "under_18": False,
            "guardian_name": "",
            "guardian_agrees": False,
        },
        now=now,
    )
    recommendations = {f"recommendation_{place}": "" for place in range(1, 6)} | {"recommendation_1": recommendation}
    themes = list(Theme.objects.filter(slug__in=slugs.split()))
    application.save_section(
        "issues",
        {"themes": themes, "issues": issues, "follow_up": "Two of five recommendations were begun."},
        now=now,
    )
    application.save_section("recommendations", recommendations, now=now)
    application.save_section("submission", {"submission_kind": "own", "joint_submitters": ""}, now=now)
    paper = [
        f"Submission to the UPR of {state.name_en}",
        full_name,
        *demo_papers.lines_of(issues),
        *demo_papers.lines_of(recommendation),
    ]
    upload = demo_papers.upload(paper, docx=number % 5 == 4)
    application.attach(upload, Attachment.Kind.UPR_SUBMISSION, files.check(upload), now=now)
    consents = {"consent_name": number % 3 != 1, "consent_organisation": True, "consent_statement": number % 2 == 0}
    note = "Please do not call the office; write to me." if number in WITH_SECURITY_NOTE else ""
    application.save_section("safety", {"security_note": note, **consents}, now=now)
    application.submit(now=now + timedelta(minutes=40))
    return application
