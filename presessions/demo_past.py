"""The demonstration's earlier series, which is over: what a whole round of Pre-sessions leaves behind. Wiring.

As in `demo`, every row is made by the steps that people take: applied, decided, invited, answered, held, noted at the
door, asked, thanked, and what became of the recommendations in the Working Group. Its mission links still open.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from applications import afterwards, agenda, cleaning, decisions, files, panel, seat
from applications import feedback as of_speakers
from applications.models import Application, Attachment, Consent, Recommendation, Theme
from missions import closing, door, meetings, passing_on
from missions import feedback as of_missions
from missions.models import Answers, Invitation, MissionTask, PermanentMission, Reply, Said
from presessions import demo_papers
from presessions.upr.dates import day_of, geneva
from presessions.upr.models import CountryMeeting, Series, State, StateUnderReview

NUMBER = 52
STATES = ("NA", "NA", "NA", "SL", "SL", "PY", "PY", "EE", "MZ", "NE", "SG", "LV", "DK")  # of who applied, in order
DECLINED = 2  # which of them
WITH_STATEMENT = (0, 3, 5, 7, 8, 10, 11)
Item, Answer, HYBRID = Consent.Item, Reply.Answer, Series.Format.HYBRID
AGREED = {Item.NAME, Item.ORGANISATION, Item.STATEMENT, Item.RECOMMENDATIONS}

PARTS = ("", "Second Secretary", "Adviser for human rights", "Intern")
QUESTIONS = (
    "Which of the last review’s recommendations has helped you most in your work?",
    "How many of the people you speak of live outside the capital?",
    "What should another State recommend so that it can be measured in four years?",
)
WORDS_OF_SPEAKERS = (
    (5, "The speaking-time screen helped. More time for questions, please."),
    (4, "It would be good to know a week before which missions come."),
    (5, ""),
    (3, "The visa came two days before the meeting: send the letters earlier."),
)
WORDS_OF_MISSIONS = (
    (5, "The page with all statements is what we needed for drafting."),
    (4, ""),
    (4, "Two meetings in one morning were hard to staff."),
    (5, "Please keep the online link: our delegation is of two people."),
    (3, "Send the agenda earlier."),
)
SUPPORTED, NOTED, NOT_YET = "supported", "noted", "pending"
MADE = (  # text, slug of its theme, States that made it, how it was answered, how far it takes up which proposal
    ("Secure the independence and the budget of the national human rights institution",
     "institutions", "FI NZ", SUPPORTED, "", ""),
    ("Provide legal aid in rural courts and publish how many people it reaches",
     "justice", "BE CR", SUPPORTED, "part", "Give the legal aid service"),
    ("Open every place of detention to independent visits without notice",
     "torture-detention", "CH UY FR", SUPPORTED, "part", "Open all places of detention"),
    ("Carry out unannounced labour inspections during the harvest and publish what they find",
     "labour", "PT", SUPPORTED, "whole", "Carry out unannounced labour inspections"),
    ("Ratify the Work in Fishing Convention", "labour", "IS", NOTED, "part", "Ratify and apply the Work in Fishing"),
    ("Ratify the Convention on the Rights of All Migrant Workers", "migration", "PH MX", NOTED, "", ""),
    ("Consult communities before granting permits for mines", "environment", "FJ", NOT_YET, "", ""),
)  # fmt: skip


def tell(story):
    """All of it, up to the closing of the series."""
    Past(story).tell()


class Past:
    def __init__(self, story):
        self.story, self.ada = story, story.ada

    def tell(self):
        story, began = self.story, geneva(self.story.day(-152), 10)
        self.states_are(StateUnderReview.Status.SCHEDULED)
        contacts = story.gather_contacts(began)
        self.series = story.set_up(NUMBER, working_group=story.monday_after(-28), now=began, format=HYBRID)
        self.first = self.series.first_day
        call = story.open_call(self.series, opens_at=geneva(story.day(-150), 9), last_day=self.day(-45), now=began)
        applications = story.apply(call, STATES, -122)
        self.decide(applications)
        self.prepare_panels()
        story.say(f"  Pre-sessions {NUMBER}: {contacts} contacts, {len(applications)} applications, answered")
        self.missions_answer()
        self.send_papers(applications)
        self.hold()
        self.look_back()
        self.follow_up()
        story.say(f"  Pre-sessions {NUMBER}: {len(self.held)} meetings held, noted, thanked for; closed")

    def states_are(self, status):
        """As the calendar of that time has them: it is loaded as it stands today, with all of them reviewed."""
        StateUnderReview.objects.filter(session__number=NUMBER).update(status=status)

    def day(self, days):
        return self.first + timedelta(days=days)

    def moment(self, days, hour=10, minute=0):
        """An hour on a day counted from the first meeting; everything due until then has gone out."""
        now = geneva(self.day(days), hour, minute)
        self.go_to(now)
        return now

    def go_to(self, now):
        """The letters of a mailing leave at a pace: the last of them some minutes after the first."""
        for minutes in (4, 3, 2, 1, 0):
            self.story.until(now - timedelta(minutes=minutes))

    # --- Before the meetings ---------------------------------------------------------------------------------------

    def decide(self, applications):
        now = self.moment(-41)
        wanted = {one.meeting.pk for one in applications}
        for number, application in enumerate(applications):
            application.prepare("decline" if number == DECLINED else "accept", by=self.ada, now=now)
        for meeting in self.series.meetings().with_state():
            if meeting.pk in wanted:
                decisions.release(meeting, by=self.ada, now=now)
            else:
                meetings.call_off(meeting, CountryMeeting.NotHeld.TOO_FEW, by=self.ada, now=now)
        self.held = list(self.series.meetings().with_state().going_ahead())
        now = self.moment(-38)
        for application in self.accepted():
            seat.confirm(application, now=now)

    def accepted(self):
        """Everybody who has a seat, in the order in which they applied."""
        rows = Application.objects.with_state().filter(state_call__call__series=self.series)
        return rows.filter(status__in=Application.HOLDS_SEAT).order_by("submitted_at")

    def prepare_panels(self):
        now = self.moment(-34, 15)
        for meeting in self.held:
            composed = panel.proposed(meeting, list(panel.placeable(meeting)), floor_minutes=2)
            composed = replace(composed, moderator="Miloš Rao")
            saved = panel.save(meeting, panel.of(meeting).version, composed, by=self.ada, now=now)
            agenda.publish(meeting, by=self.ada, now=now, seen_version=saved.version)

    def missions_answer(self):
        """Every third one or so, some more than once; a State under Review asks for the floor; one asks a question, and
        one passes the invitation on."""
        now = self.moment(-27, 12)  # the invitation has gone out the day before
        for task in MissionTask.objects.open().filter(series=self.series):
            task.close(by=self.ada, now=now, reason="Invited by a note verbale to its mission in New York.")
        reminder = self.series.mailings.get(kind="reminder")
        reminder.cancel(by=self.ada, now=now, reason="The missions are asked at the briefing in Room XX.")
        invitations = Invitation.objects.with_names().filter(series=self.series).order_by("mission__sort_key")
        for number, invitation in enumerate(invitations):
            own = next((one for one in self.held if one.state.pk == invitation.mission.code), None)
            if own or number % 3 == 0 or number % 11 == 0 or invitation.mission.code == "SE":
                said = self.said(invitation, number, own)
                invitation.answer(said, meetings=self.held, version=0, now=geneva(self.day(-22 + number % 5), 11))
                self.story.answered.append(invitation)
            if invitation.mission.code == "SE":
                email = "colleague-se@example.org"
                passing_on.pass_on(invitation, email=email, name="Maja Lind", now=geneva(self.day(-17), 9))

    def said(self, invitation, number, own):
        """In person to some, online to others, and not to all; no meeting passes without somebody."""
        chosen = (Answer.IN_PERSON, Answer.NO, Answer.ONLINE, Answer.IN_PERSON, Answer.UNDECIDED)
        replies = {meeting.pk: Said(chosen[(number + 2 * place) % 5]) for place, meeting in enumerate(self.held)}
        if own:
            replies[own.pk] = Said(Answer.IN_PERSON, wants_floor=number % 2 == 0)
        people = tuple(
            (None, f"Delegate {number + 1}.{place + 1}", PARTS[(number + place) % 4]) for place in range(number % 3)
        )
        asks = invitation.mission.code in ("SE", "BR") and self.held[0].pk
        return Answers(replies, people, questions={asks: QUESTIONS[0]} if asks else {})

    def send_papers(self, applications):
        """Statements arrive, are looked through, and may be given away. Nobody at risk is named whatever they agree
        to."""
        now = self.moment(-16)
        for number, application in enumerate(self.accepted()):
            if number in WITH_STATEMENT:
                paper = demo_papers.upload(["Statement", *demo_papers.lines_of(application.issues)], docx=False)
                seat.receive(application, paper, Attachment.Kind.STATEMENT, files.check(paper), now=now)
        cleaning.look_through(now)
        now = self.moment(-14)
        for number, application in enumerate(self.accepted()):
            seat.publish_again(application, AGREED if number % 4 else AGREED - {Item.NAME}, now=now)

    # --- The meetings ----------------------------------------------------------------------------------------------

    def hold(self):
        """At the door each mission is noted; who said it comes mostly does, and some come who had said nothing."""
        everybody = list(PermanentMission.objects.order_by("sort_key").values_list("pk", "code"))
        saying = {}
        replies = Reply.objects.filter(meeting__in=self.held, answer__in=Reply.COMES)
        for meeting, mission in replies.values_list("meeting", "invitation__mission"):
            saying.setdefault(meeting, set()).add(mission)
        for place, meeting in enumerate(self.held):
            now = meeting.starts_at + timedelta(minutes=5)
            self.story.until(now)
            own = next(pk for pk, code in everybody if code == meeting.state.pk)
            came = [
                door.Came(uuid4(), meeting.pk, pk, 1 + (number + place) % 2, now, spoke=pk == own and place % 3 < 2)
                for number, (pk, _code) in enumerate(everybody)
                if pk == own or (pk in saying[meeting.pk] and number % 7) or (3 * number + place) % 89 == 0
            ]
            asked = [
                door.Asked(uuid4(), meeting.pk, now + timedelta(minutes=40), mission=one.mission, words=words)
                for one, words in zip(came[place % 5 :: 4], QUESTIONS, strict=False)
            ]
            door.keep([*came, *asked], by=self.ada, now=now + timedelta(minutes=50))
            meeting.mark_held(now=meeting.ends_at + timedelta(minutes=10), by=self.ada)

    def look_back(self):
        """Thanks have gone out; some say how it was."""
        now = self.moment(6, 16)
        for application, (useful, words) in zip(self.accepted(), WORDS_OF_SPEAKERS, strict=False):
            of_speakers.give(application, useful=useful, words=words, now=now)
        for invitation, (useful, words) in zip(self.story.answered[::5], WORDS_OF_MISSIONS, strict=False):
            of_missions.give(invitation, useful=useful, words=words, now=now)

    # --- The Working Group -----------------------------------------------------------------------------------------

    def follow_up(self):
        """What States recommended to three of them is entered, joined to what was proposed, published and told."""
        now = geneva(self.story.day(-9), 11)
        self.go_to(now)
        self.states_are(StateUnderReview.Status.REVIEWED)
        themes = {theme.slug: theme for theme in Theme.objects.all()}
        for place, meeting in enumerate(self.held[:3]):
            proposed = list(
                Recommendation.objects.filter(application__in=self.accepted().filter(state_call__meeting=meeting))
            )
            for number, (text, slug, makers, response, extent, of) in enumerate(MADE[place:], start=1):
                facts = {
                    "number": f"1{place}8.{number}",
                    "text": f"{text}.",
                    "theme": themes.get(slug),
                    "response": response,
                    "responded_on": day_of(now) if response != NOT_YET else None,
                    "made_by": list(State.objects.filter(pk__in=makers.split())),
                }
                made = afterwards.enter(meeting, facts, by=self.ada, now=now)
                for one in proposed:
                    if of and one.text.startswith(of):
                        afterwards.take_up(meeting, one, made, extent, by=self.ada, now=now)
            afterwards.publish(meeting, source=f"A/HRC/WG.6/{NUMBER}/{meeting.state.pk}", by=self.ada, now=now)
            afterwards.tell(meeting, by=self.ada, now=now)
        now = geneva(self.story.day(-4), 11)
        self.go_to(now)
        closing.close(self.series, by=self.ada, now=now)
