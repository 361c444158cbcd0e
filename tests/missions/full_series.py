"""A whole series as rows: 14 meetings, the missions of 193 States and three observers, what became of every invitation,
answers, colleagues, notes at the door with their corrections, questions, speakers. By chance, the same each time.

Rows only: how each came about is the subject of other tests. `Raw` reads them back without any of our queries, so that
figures can be counted again beside those that our pages show.
"""

import hashlib
import random
from datetime import date, timedelta
from io import StringIO
from uuid import UUID

from django.core.management import call_command

from applications.models import Application, Call, Speaker, StateCall, Theme
from missions.models import (
    Colleague,
    Delegate,
    DoorNote,
    FloorQuestion,
    Invitation,
    MissionAddress,
    MissionTask,
    PermanentMission,
    Reply,
)
from presessions import vault
from presessions.mail.models import Letter, LinkVisit, Mailing, PersonalLink
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting, Series, State, StateUnderReview, WorkingGroupSession

INVITED_AT = geneva(date(2026, 3, 16), 9)
FIRST_DAY = date(2026, 4, 14)
NOW = geneva(date(2026, 4, 20), 9)
UNDER_REVIEW = [
    "BJ",
    "BR",
    "CI",
    "FR",
    "IN",
    "JP",
    "KE",
    "MX",
    "NO",
    "PE",
    "PH",
    "TR",
    "US",
    "ZA",
]  # Benin has no mission
NOT_HELD, NOT_COUNTED = "IN", "NO"
THEMES = ("civic space", "education", "health", "justice", "water", "work")
STATES_OF_LETTERS = [*["sent"] * 17, "failed", "bounced", "uncertain"]


def register():
    """The register as it is carried, and an address of nearly every mission. Returns the missions by code."""
    call_command("load_calendar", stdout=StringIO())
    call_command("load_missions", stdout=StringIO())
    missions = {mission.code: mission for mission in PermanentMission.objects.with_state()}
    lost = {"AD", "TV", "WS"}
    emails = {
        code: f"{code.lower()}@mission.example.org"
        for code, mission in missions.items()
        if mission.in_geneva != "no" and code not in lost
    }
    MissionAddress.objects.bulk_create(
        MissionAddress(mission=missions[code], email=email, email_index=vault.blind_index("email", email))
        for code, email in emails.items()
    )
    return missions


def series_of(number, codes):
    session = WorkingGroupSession.objects.create(number=number, starts_on=date(2026, 5, 4), ends_on=date(2026, 5, 15))
    for code in codes:
        StateUnderReview.objects.create(session=session, state=State.objects.get(pk=code))
    return Series.open_for(session, now=INVITED_AT, first_day=FIRST_DAY, last_day=FIRST_DAY + timedelta(days=3))


class Filling:
    """Fills one series with rows."""

    def __init__(self, series, missions, chance):
        self.series, self.missions, self.chance = series, missions, chance
        self.meetings = list(series.meetings().with_state())
        self.codes = sorted(missions)

    def everything(self):
        self.hold()
        self.invite()
        self.answer()
        self.stand_at_the_door()
        self.ask()
        self.speak()

    def hold(self):
        for number, meeting in enumerate(self.meetings):
            held = meeting.state.pk != NOT_HELD
            facts = {"status": "held"} if held else {"status": "not_held", "not_held_reason": "too_few"}
            starts_at = geneva(FIRST_DAY + timedelta(days=number // 4), 9 + 2 * (number % 4))
            CountryMeeting.objects.filter(pk=meeting.pk).update(starts_at=starts_at, **facts)
        self.meetings = list(self.series.meetings().with_state())

    def invite(self):
        """Letters, some of them again after the first came back; tasks for whom no letter can reach; visits."""
        written_to = set(MissionAddress.objects.values_list("mission", flat=True))
        reachable = [mission for mission in self.missions.values() if mission.pk in written_to]
        invitations = Invitation.objects.write_down(self.series, reachable, INVITED_AT)
        self.invitations = {mission.code: invitations[mission.pk] for mission in reachable}
        mailing = Mailing.objects.get(series=self.series, kind="invitation")
        letters = []
        for code, invitation in self.invitations.items():
            states = [self.chance.choice(STATES_OF_LETTERS)]
            if states == ["bounced"] and self.chance.random() < 0.5:
                states.append("sent")
            for copy, state in enumerate(states, start=1):
                sent_at = INVITED_AT if state in ("sent", "bounced") else None
                letters.append(Letter(
                    key=f"{mailing.pk}:{code}:{copy}", kind="invitation", mailing=mailing, recipient_kind="mission",
                    recipient_id=str(invitation.mission_id), copy=copy, language="en", state=state, sent_at=sent_at,
                    created_at=INVITED_AT, due_at=INVITED_AT, not_after=NOW,
                ))  # fmt: skip
        Letter.objects.bulk_create(letters)
        for code in ("AD", "TV"):
            MissionTask.objects.create(
                mission=self.missions[code], series=self.series, reason="no_address", opened_at=INVITED_AT,
                done_at=INVITED_AT if code == "AD" else None, note="Telephoned." if code == "AD" else "",
            )  # fmt: skip
        self.visit()

    def visit(self):
        some = [code for code in self.codes if code in self.invitations and self.chance.random() < 0.7]
        passed_on = {}
        for code in some[::9]:
            email = f"colleague@{code.lower()}.example.org"
            passed_on[code] = Colleague.objects.create(
                invitation=self.invitations[code], email=email, passed_on_at=INVITED_AT
            )
        links = [self.link("invitation", self.invitations[code].reference) for code in some]
        links += [self.link("colleague", colleague.reference) for colleague in passed_on.values()]
        links = PersonalLink.objects.bulk_create(links)
        LinkVisit.objects.bulk_create(
            LinkVisit(link=link, at=INVITED_AT, method="GET", maybe_filter=self.chance.random() < 0.5)
            for link in links
            for _visit in range(self.chance.randint(0, 3))
        )

    def link(self, purpose, target):
        token_hash = hashlib.sha256(f"{self.series.number} {purpose} {target}".encode()).digest()
        return PersonalLink(purpose=purpose, target_id=target, token_hash=token_hash, made_at=INVITED_AT)

    def answer(self):
        """Half of them; some about a few meetings alone, some that have come to nothing."""
        replies, delegates, answered = [], [], []
        for invitation in self.invitations.values():
            if self.chance.random() < 0.45:
                continue
            answered.append(invitation.pk)
            for meeting in self.meetings:
                if self.chance.random() < 0.6:
                    said = self.chance.choice(Reply.Answer.values)
                    replies.append(Reply(invitation=invitation, meeting=meeting, answer=said, at=INVITED_AT))
            delegates += [
                Delegate(invitation=invitation, name=f"Delegate {n}", position=n)
                for n in range(1, self.chance.randint(1, 4))
            ]
        Invitation.objects.filter(pk__in=answered).update(answered_at=INVITED_AT, version=1)
        Reply.objects.bulk_create(replies)
        Delegate.objects.bulk_create(delegates)

    def stand_at_the_door(self):
        """Of each meeting but two; what was noted first is sometimes put right, by a clock that was set wrong too."""
        notes = []
        for meeting in self.meetings:
            if meeting.state.pk in (NOT_HELD, NOT_COUNTED):
                continue
            for code in self.chance.sample(self.codes, k=self.chance.randint(25, 52)):
                notes.append(self.note(meeting, code, people=self.chance.randint(1, 4)))
                if self.chance.random() < 0.15:
                    notes.append(self.note(meeting, code, people=self.chance.randint(0, 3)))
            own = meeting.state.pk
            if self.chance.random() < 0.9:
                notes.append(self.note(meeting, own, people=3, spoke=self.chance.random() < 0.7, minute=59))
        DoorNote.objects.bulk_create(self.chance.sample(notes, k=len(notes)))

    def note(self, meeting, code, *, people, spoke=False, minute=None):
        noted_at = meeting.starts_at + timedelta(minutes=self.chance.randint(0, 50) if minute is None else minute)
        return DoorNote(
            key=UUID(int=self.chance.getrandbits(128)), meeting=meeting, mission=self.missions[code], people=people,
            spoke=spoke, noted_at=noted_at, received_at=NOW,
        )  # fmt: skip

    def ask(self):
        held = [meeting for meeting in self.meetings if meeting.status == "held"]
        FloorQuestion.objects.bulk_create(
            self.question(meeting) for meeting in held for _question in range(self.chance.randint(0, 6))
        )

    def question(self, meeting):
        mission = self.missions[self.chance.choice(self.codes)] if self.chance.random() < 0.7 else None
        return FloorQuestion(
            key=UUID(int=self.chance.getrandbits(128)),
            meeting=meeting,
            mission=mission,
            words="Why?",
            noted_at=meeting.starts_at,
            received_at=NOW,
            taken_back_at=NOW if self.chance.random() < 0.2 else None,
        )

    def speak(self):
        call = Call.objects.create(series=self.series)
        themes = [Theme.objects.get_or_create(slug=name, defaults={"name_en": name})[0] for name in THEMES]
        calls = StateCall.objects.bulk_create(StateCall(call=call, meeting=meeting) for meeting in self.meetings)
        places = [(state_call, n) for state_call in calls for n in range(self.chance.randint(4, 7))]
        applications = Application.objects.bulk_create(self.application(*place) for place in places)
        genders = ["woman", "woman", "woman", "man", "man", "not_said"]
        Speaker.objects.bulk_create(
            Speaker(application=one, gender=self.chance.choice(genders)) for one in applications
        )
        through = Application.themes.through
        through.objects.bulk_create(
            through(application=one, theme=theme) for one in applications for theme in self.chance.sample(themes, k=2)
        )

    def application(self, state_call, n):
        kind = self.chance.choice(["cso", "cso", "cso", "nhri"])
        return Application(
            state_call=state_call,
            email_index=f"{state_call.pk} {n}",
            created_at=INVITED_AT,
            submitted_at=INVITED_AT,
            kind=kind,
            scope="" if kind == "nhri" else self.chance.choice(["national", "national", "international"]),
            status=self.chance.choice(["confirmed"] * 5 + ["declined", "released"]),
        )


def full_series(missions, number=60):
    series = series_of(number, UNDER_REVIEW)
    Filling(series, missions, random.Random(number)).everything()
    return series


def small_series(missions, number=61):
    """One meeting, one mission that was invited, answered and came, one question."""
    series = series_of(number, ["KE"])
    kenya = series.meetings().with_state().get()
    CountryMeeting.objects.filter(pk=kenya.pk).update(starts_at=geneva(FIRST_DAY, 10), status="held")
    kenya.refresh_from_db()
    invitation = Invitation.objects.write_down(series, [missions["KE"]], INVITED_AT)[missions["KE"].pk]
    Invitation.objects.filter(pk=invitation.pk).update(answered_at=INVITED_AT)
    Reply.objects.create(invitation=invitation, meeting=kenya, answer="in_person", at=INVITED_AT)
    filling = Filling(series, missions, random.Random(number))
    filling.note(kenya, "KE", people=2, spoke=True).save()
    FloorQuestion.objects.create(
        key=UUID(int=number), meeting=kenya, mission=missions["KE"], noted_at=NOW, received_at=NOW
    )
    return series


class Raw:
    """The rows of a series as plain dicts, read table by table, and joined here by hand."""

    def __init__(self, series):
        def rows(model, *fields):
            return list(model.objects.order_by("pk").values(*fields))

        reviews = {
            row["id"]: row["state"]
            for row in rows(StateUnderReview, "id", "state", "session")
            if row["session"] == series.session_id
        }
        self.meetings = {
            row["id"]: {**row, "state": reviews[row["state_under_review"]]}
            for row in rows(CountryMeeting, "id", "status", "state_under_review")
            if row["state_under_review"] in reviews
        }
        self.names = {row["pk"]: row["name_en"] for row in rows(State, "pk", "name_en")}
        groups = {row["pk"]: row["regional_group"] for row in rows(State, "pk", "regional_group")}
        self.missions = {row["id"]: row for row in rows(PermanentMission, "id", "code", "state", "in_geneva")}
        self.group = {key: groups.get(row["state"]) for key, row in self.missions.items()}
        invitations = [row for row in rows(Invitation, "id", "reference", "mission", "series", "answered_at")
                       if row["series"] == series.pk]  # fmt: skip
        self.of_invitation = {row["id"]: row["mission"] for row in invitations}
        self.invited = {row["mission"] for row in invitations}
        self.answered = {row["mission"] for row in invitations if row["answered_at"]}
        self.by_hand = {
            row["mission"]
            for row in rows(MissionTask, "mission", "series", "done_at")
            if row["series"] == series.pk and row["done_at"]
        }
        mailings = {row["id"] for row in rows(Mailing, "id", "series") if row["series"] == series.pk}
        self.letters = [row for row in rows(Letter, "mailing", "recipient_id", "state", "copy")
                        if row["mailing"] in mailings]  # fmt: skip
        self.delivered = {int(row["recipient_id"]) for row in self.letters if row["state"] == "sent"}
        self.replies = [
            row for row in rows(Reply, "invitation", "meeting", "answer") if row["meeting"] in self.meetings
        ]
        self._visits(invitations, rows)
        self._notes(rows)
        self.questions = [row for row in rows(FloorQuestion, "meeting", "mission", "taken_back_at")
                          if row["meeting"] in self.meetings and row["taken_back_at"] is None]  # fmt: skip
        self._speakers(rows)

    def _visits(self, invitations, rows):
        opens = {("invitation", row["reference"]): row["mission"] for row in invitations}
        for row in rows(Colleague, "reference", "invitation"):
            if row["invitation"] in self.of_invitation:
                opens["colleague", row["reference"]] = self.of_invitation[row["invitation"]]
        links = {
            row["id"]: (row["purpose"], row["target_id"]) for row in rows(PersonalLink, "id", "purpose", "target_id")
        }
        self.visited, surely = set(), set()
        for row in rows(LinkVisit, "link", "maybe_filter"):
            mission = opens.get(links[row["link"]])
            if mission:
                self.visited.add(mission)
                if not row["maybe_filter"]:
                    surely.add(mission)
        self.fetched = surely | self.answered

    def _notes(self, rows):
        """The newest note by the clock of the device counts; of two at the same instant, the one that came later."""
        self.notes = {}
        for row in rows(DoorNote, "id", "meeting", "mission", "people", "spoke", "noted_at"):
            if row["meeting"] in self.meetings:
                self.notes.setdefault((row["meeting"], row["mission"]), []).append(row)
        self.notes = {key: sorted(some, key=lambda row: (row["noted_at"], row["id"]))[-1]
                      for key, some in self.notes.items()}  # fmt: skip
        self.there = {key: row for key, row in self.notes.items() if row["people"] > 0}

    def _speakers(self, rows):
        calls = {row["id"]: row["meeting"] for row in rows(StateCall, "id", "meeting")}
        speakers = {row["application"]: row["gender"] for row in rows(Speaker, "application", "gender")}
        themes = {}
        for row in rows(Application.themes.through, "application", "theme"):
            themes.setdefault(row["application"], set()).add(row["theme"])
        self.speakers = [
            {**row, "meeting": calls[row["state_call"]], "gender": speakers[row["id"]], "themes": themes[row["id"]]}
            for row in rows(Application, "id", "state_call", "status", "kind", "scope")
            if calls[row["state_call"]] in self.meetings and row["status"] == "confirmed"
        ]

    def held(self):
        return [key for key, row in self.meetings.items() if row["status"] == "held"]

    def came_to(self, meeting):
        return {mission for key, mission in self.there if key == meeting}

    def own(self, meeting):
        """The key of the mission of the State under Review, or None."""
        state = self.meetings[meeting]["state"]
        return next((key for key, row in self.missions.items() if row["state"] == state), None)
