"""One small but complete world, made by the doors and steps of the product, with a canary in every secret field.

    world = World(clock)          with time_machine.travel(SET_UP, tick=False) as clock
    world.tell()                  from the series' set-up to the briefing: a letter of every kind that is registered

`canary("applications.Application.name")` is the word that stands in that field. Mails are kept in `world.mails` as they
were written, because a letter that was sent gives up its bytes. `World(clock, send=...)` sends them too.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes, policy
from functools import cached_property

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import get_connection, send_mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications import cleaning, seat, uploads
from applications.mailings import second_call
from applications.models import Agenda, Application, Attachment, Call, Contact, Needs, ReviewOutcome, Theme
from missions import meetings
from missions.models import FloorQuestion, Invitation, MissionTask, PermanentMission
from presessions import settings as product
from presessions.accounts.models import Authenticator, User
from presessions.mail import inbox, schedule, steering, telling, watch
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.accounts.logins import give_second_factor
from tests.applications.factories import ApplicationFactory, ContactFactory, Verdict, upload
from tests.applications.seats import as_asked
from tests.missions.factories import MissionFactory
from tests.missions.pages import answers
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

SET_UP = geneva(date(2026, 1, 5), 10)
CALL_OPENS = geneva(date(2026, 2, 2), 9)
CALL_DUE = geneva(date(2026, 2, 4), 9)  # three months before the Working Group session of 4 May
MONDAY = geneva(date(2026, 3, 2), 10)
INVITATION_DUE = geneva(date(2026, 3, 17), 9)  # 28 days before the first meeting, 14 April
CALL_CLOSES = geneva(date(2026, 3, 23))
DRAFT_DUE = geneva(date(2026, 3, 22), 9)  # 7 days before 29 March, the last day of Türkiye's own deadline
STATEMENT_DUE = geneva(date(2026, 3, 24), 9)  # 21 days before Kenya's meeting
BRIEFING_DUE = geneva(date(2026, 4, 4), 9)
REMINDER_DUE = geneva(date(2026, 4, 7), 9)
END = THANKS_DUE = geneva(date(2026, 4, 15), 9)  # a day after the last meeting
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


DATES = {"applications.Needs.born_on": "2010-03-29"}  # where only a date can stand


def canary(place):
    """A word that stands in one place and nowhere else by chance. Letters only, so that it is a name like others."""
    if place in DATES:
        return DATES[place]
    digest = hashlib.sha256(place.encode()).digest()[:14]
    return "qz" + "".join(chr(ord("a") + byte % 26) for byte in digest)


def address(place):
    return f"{canary(place)}@example.org"


def pdf(words):
    """A file whose text lies open in its bytes."""
    text = b"BT /F1 12 Tf 60 770 Td (%s) Tj ET" % words.encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>startxref\n%d\n%%%%EOF" % (table, len(data))
    return data + end


def filled(page):
    """What a browser would post from a page on which nothing is typed."""
    values = {bound.name: bound.value() for bound in page.context.get("form", ())}
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Mail:
    """A letter as it was written."""

    letter: Letter
    frozen: bytes

    @property
    def kind(self):
        return self.letter.kind

    @property
    def message(self):
        return message_from_bytes(self.frozen, policy=policy.default)

    @property
    def parts(self):
        """Its text, and its HTML."""
        return [self.message.get_body((kind,)).get_content() for kind in ("plain", "html")]

    @cached_property
    def links(self):
        """Every address in it: in its headers, in its text, and behind the words of its HTML."""
        text = "\n".join([*map(str, self.message.values()), *self.parts])
        return list(dict.fromkeys(re.findall(r"https?://[^\s<>\"]+", text)))

    @property
    def path(self):
        """Where its first personal link leads."""
        return next(link for link in self.links if TOKEN.search(link)).removeprefix("http://testserver")


@dataclass
class World:
    clock: object
    send: object = None  # given the moment, after what is due has been written
    asked: object = None  # who has listened to what the outbox was asked for, if anybody did
    mails: list = field(default_factory=list)

    def tell(self):
        self.set_up()
        self.sign_contacts_up()
        self.ring(SET_UP + timedelta(hours=1))
        self.staff_look_ahead()
        self.ring(CALL_DUE)
        self.clock.move_to(MONDAY)
        self.others_apply()
        self.apply()
        self.staff_decide()
        self.confirm_seat()
        self.staff_think_again()
        self.staff_compose()
        self.ring(INVITATION_DUE)
        self.mission_answers()
        self.check_register()
        self.mails_come_back()
        self.call_again()
        self.ring(DRAFT_DUE)
        self.ring(STATEMENT_DUE)
        self.send_statement()
        self.dates_change()
        self.ring(DRAFT_DUE + timedelta(days=6))  # 48 hours
        self.ring(BRIEFING_DUE)
        self.ring(REMINDER_DUE)
        self.something_is_wrong()
        self.on_the_day()
        self.ring(THANKS_DUE)
        self.afterwards()
        self.mail_staff()

    def ring(self, moment=None):
        """The bell, at that moment or now; its mails are noted before they go."""
        if moment:
            self.clock.move_to(moment)
        moment = timezone.now()
        schedule.write_due(moment)
        known = {mail.letter.pk for mail in self.mails}
        fresh = Letter.objects.exclude(pk__in=known).exclude(state=Letter.State.FAILED).order_by("pk")
        self.mails += [Mail(letter, bytes(letter.frozen)) for letter in fresh]
        if self.send:
            self.send(moment)
        else:  # missions are reminded only of what has reached them
            arrived = Letter.objects.filter(kind="invitation", state=Letter.State.PENDING, next_attempt_at__lte=moment)
            arrived.update(state=Letter.State.SENT, sent_at=moment, next_attempt_at=None)

    def newest(self, kind):
        return next(mail for mail in reversed(self.mails) if mail.kind == kind)

    # --- Staff ------------------------------------------------------------------------------------------------------

    def set_up(self):
        """Pre-sessions 54: Kenya with a programme, Türkiye with a deadline of its own, and the register of missions."""
        self.ada = User.objects.create_superuser("ada@example.org", canary("accounts.User.password"), name="Ada Keller")
        phone = {"key": canary("accounts.Authenticator.key"), "name": "phone", "made_at": SET_UP}
        Authenticator.objects.create(user=self.ada, **phone)
        session = SessionFactory()
        for code in ("KE", "TR"):
            StateUnderReviewFactory(session=session, state=StateFactory(iso2=code))
        Theme.objects.get_or_create(slug="justice", defaults={"name_en": "Justice"})
        self.series = Series.open_for(
            session, now=SET_UP, by=self.ada, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais"
        )
        self.kenya, self.turkiye = self.series.meetings().with_state()
        self.kenya.reschedule(now=SET_UP, by=self.ada, starts_at=geneva(date(2026, 4, 14), 10), room="Room XXI")
        call = Call.open_for(self.series, opens_at=CALL_OPENS, closes_at=CALL_CLOSES, now=SET_UP, by=self.ada)
        self.call_of = {one.state.pk: one for one in call.state_calls.with_state()}
        reason = canary("applications.StateCall.reason")
        self.call_of["TR"].extend(geneva(date(2026, 3, 30)), now=SET_UP, by=self.ada, reason=reason)
        MissionFactory(iso2="TR", email=None)
        self.add_address(MissionFactory(iso2="KE", email=None))
        MissionFactory(observer="VA", name_en="Holy See")

    def staff(self):
        """A browser in which Ada has logged in, just now."""
        browser = Client()
        login = {"username": self.ada.email, "password": canary("accounts.User.password")}
        assert browser.post(reverse("admin:login"), login).status_code == 302
        give_second_factor(browser, self.ada)
        return browser

    def add_address(self, mission):
        posted = {
            "in_geneva": "yes",
            "language": "en",
            "addresses-TOTAL_FORMS": 1,
            "addresses-INITIAL_FORMS": 0,
            "addresses-0-email": address("missions.MissionAddress.email"),
            "addresses-0-role": "ambassador",
            "addresses-0-position": 1,
        }
        page = reverse("admin:missions_permanentmission_change", args=[mission.pk])
        assert self.staff().post(page, posted).status_code == 302

    def staff_decide(self):
        """They assess, note an organisation, prepare with a reason, release; stop all mail and one mailing a while."""
        staff = self.staff()
        places = ("name", "name_latin", "note")
        register = {place: canary(f"applications.Organisation.{place}") for place in places} | {"kind": "cso"}
        assert staff.post(reverse("admin:applications_organisation_add"), register).status_code == 302
        reveal = reverse("admin:applications_reveal", args=[self.application.pk])  # a private security note was written
        assert staff.post(reveal, {"reason": canary("trail.Reason.text")}).status_code == 302
        assessed = {"overall": "strong", "national_voice": 3, "note": canary("applications.Assessment.note")}
        prepared = {"decision": "accept", "reason": canary("trail.Reason.text")}
        for step, posted in (("assess", assessed), ("prepare", prepared)):
            page = reverse(f"admin:applications_{step}", args=[self.application.pk])
            assert staff.post(page, posted).status_code == 302
        seen = f"{self.application.reference}:accept"
        staff.post(reverse("admin:applications_release", args=[self.kenya.pk]), {"seen": [seen], "while_open": "yes"})
        for step in ("stop", "start"):
            staff.post(reverse("admin:mail_switch"), {"step": step, "reason": canary("trail.Reason.text")})
        mailing = Mailing.objects.get(kind="invitation")
        for step in ("hold", "resume"):
            posted = {"step": step, "reason": canary("trail.Reason.text")}
            staff.post(reverse("admin:mail_mailing_change", args=[mailing.pk]), posted)
        self.application.refresh_from_db()
        assert self.application.status == "accepted"
        self.ring()

    def staff_think_again(self):
        """They ask one applicant for more, who answers; give somebody more time who has not begun; and change their
        mind about a third, back and forth."""
        staff, until = self.staff(), {"until_0": "2026-04-02", "until_1": "23:59"}
        asked = Application.objects.filter(status="submitted").order_by("pk").first()
        words = canary("applications.InformationRequest.words")
        posted = {"sections": ["issues"], "words": words, **until, "send": "yes"}
        assert staff.post(reverse("admin:applications_ask", args=[asked.pk]), posted).status_code == 302
        self.ring()
        browser = Client()
        browser.post(self.newest("more_information").path)
        assert browser.post(reverse("applications:more_given")).status_code == 302
        late = {"state_call": self.call_of["KE"].pk, "email": "late@example.org", "language": "en", **until}
        late["reason"] = canary("trail.Reason.text")
        assert staff.post(reverse("admin:applications_late"), late).status_code == 302
        declined = Application.objects.filter(status="declined").order_by("pk").first()
        for before, to in (("declined", "accept"), ("accepted", "decline"), ("declined", "accept"),
                           ("accepted", "waitlist")):  # fmt: skip
            page = reverse("admin:applications_reverse", args=[declined.pk])
            posted = {"to": to, "seen": before, "reason": canary("trail.Reason.text")}
            assert staff.post(page, posted).status_code == 302
            self.ring()
            self.clock.shift(timedelta(seconds=1))
        posted = {"decision": "decline", "reason": canary("trail.Reason.text")}
        staff.post(reverse("admin:applications_prepare", args=[declined.pk]), posted)
        seen = f"{declined.reference}:decline"
        staff.post(reverse("admin:applications_release", args=[self.kenya.pk]), {"seen": [seen]})
        assert Application.objects.get(pk=declined.pk).status == "declined"
        self.ring()

    def staff_compose(self):
        """They put who was accepted on Kenya's panel, with a note for the moderator, and publish the agenda."""
        staff, reference = self.staff(), self.application.reference
        page = reverse("admin:applications_panel", args=[self.kenya.pk])
        composed = {"version": 0, "act": "save", "seat": [f"panel {reference}"], f"minutes-{reference}": 7,
                    "opening_minutes": 3, "note": canary("applications.Panel.note")}  # fmt: skip
        assert staff.post(page, composed).status_code == 302
        staff.post(reverse("admin:applications_agenda_publish", args=[self.kenya.pk]), {"version": 1})
        assert Agenda.objects.filter(meeting=self.kenya).exists()
        self.ring()

    def staff_look_ahead(self):
        """They are told the day before, and one of them wants to see it in her own mailbox."""
        self.clock.move_to(CALL_DUE - timedelta(hours=12))
        steering.give_notice(timezone.now())
        mailing = Mailing.objects.get(kind="call")
        page = reverse("admin:mail_mailing_change", args=[mailing.pk])
        assert self.staff().post(page, {"step": "test", "language": "en"}).status_code == 302
        self.ring()

    def dates_change(self):
        """Both meetings get an hour, of which missions hear in one letter; Türkiye's is taken back, Kenya's is called
        off and on again; Türkiye has more time, then less again, when people have been told; staff let the mails go."""
        self.clock.move_to(STATEMENT_DUE + timedelta(hours=1))
        now, eleven = timezone.now(), geneva(date(2026, 4, 14), 11)
        for meeting, hour in ((self.kenya, eleven), (self.turkiye, eleven + timedelta(hours=4))):
            meeting.reschedule(starts_at=hour, now=now, by=self.ada, announce=False)
        meetings.tell_of_several(self.series, [self.kenya.pk, self.turkiye.pk], now=now, by=self.ada)
        self.turkiye.reschedule(starts_at=None, now=now, by=self.ada, announce=False)
        reason = canary("trail.Reason.text")
        meetings.call_off(self.kenya, "postponed", now=timezone.now(), by=self.ada, reason=reason)
        self.ring(STATEMENT_DUE + timedelta(hours=2))
        meetings.move(self.kenya, eleven, now=timezone.now(), by=self.ada)
        for day in (date(2026, 4, 1), date(2026, 3, 31)):
            now, reason = timezone.now(), canary("applications.StateCall.reason")
            self.call_of["TR"].extend(geneva(day), now=now, by=self.ada, reason=reason)
            for proposal in Mailing.objects.filter(held_reason="proposed"):
                proposal.resume(by=self.ada, now=now)
            self.ring()
            self.clock.shift(timedelta(hours=1))

    def call_again(self):
        """Too few have applied for Türkiye: somebody who named it is asked, once staff let the mail go."""
        now = timezone.now()
        ContactFactory(email="ankara@example.org", now=now - timedelta(hours=1), states=["TR"])
        second_call.look(now)
        Mailing.objects.get(kind="second_call").resume(by=self.ada, now=now)
        self.ring()

    def mails_come_back(self):
        """Somebody answers a letter, and staff telephone the mission that mail does not reach."""
        letter, said = self.newest("invitation").letter, canary("mail.Report.text")
        answer = f"From: somebody@example.org\r\nIn-Reply-To: {letter.message_id}\r\n\r\nAbout room XXI, {said}\r\n"
        inbox.take(answer.encode(), now=timezone.now())
        task = MissionTask.objects.get(mission__code="TR")
        posted = {"step": "done", "reason": canary("missions.MissionTask.note")}
        self.staff().post(reverse("admin:missions_missiontask_change", args=[task.pk]), posted)

    def on_the_day(self):
        """Somebody at the door notes that Kenya's mission has come, and what it asks."""
        self.clock.move_to(geneva(date(2026, 4, 14), 11, 5))  # where it was moved to
        staff, page = self.staff(), reverse("admin:missions_door", args=[self.kenya.pk])
        mission = self.invitation.mission_id
        for posted in (
            {"note": f"{mission} 2 1"},
            {"mission": mission, "words": canary("missions.FloorQuestion.words")},
        ):
            assert staff.post(page, {"nonce": "a phone", **posted}).status_code == 302
        assert FloorQuestion.objects.filter(meeting=self.kenya, mission=mission).exists()

    def afterwards(self):
        """Speaker and mission answer two questions; staff enter what the Working Group made of Kenya's review, say what
        it takes up, publish it, and tell the speaker."""
        ours = {"recipient_kind": "application", "recipient_id": self.application.reference}
        letter = Letter.objects.get(kind="thanks_speakers", **ours)
        browser = Client()
        browser.post(next(mail.path for mail in self.mails if mail.letter.pk == letter.pk))
        said = {"useful": "4", "words": canary("applications.SpeakerFeedback.words")}
        assert browser.post(reverse("applications:feedback"), said).url == reverse("applications:feedback")
        said["words"] = canary("missions.MissionFeedback.words")
        assert Client().post(f"{self.invitation_path}feedback/", said).status_code == 302
        staff, made = self.staff(), {"number": "148.1", "text": "Ratify it.", "made_by": "TR", "response": "supported"}
        page = {
            name: reverse(f"admin:applications_recommendation{name}", args=[self.kenya.pk])
            for name in ("_add", "s_join", "s_publish", "s_tell")
        }
        assert staff.post(page["_add"], made).status_code == 302
        reveal = reverse("admin:applications_reveal", args=[self.application.pk])
        assert staff.post(reveal, {"reason": canary("trail.Reason.text")}).status_code == 302
        proposed = self.application.recommendations.get()
        joined = {"proposed": proposed.pk, "number": "148.1", "extent": "part"}
        assert staff.post(page["s_join"], joined).status_code == 302
        assert staff.post(page["s_publish"], {"source": "A/HRC/63/5"}).status_code == 302
        assert staff.post(page["s_tell"]).status_code == 302
        assert ReviewOutcome.objects.filter(meeting=self.kenya).exists() and proposed.taken_up.exists()
        self.ring()

    def something_is_wrong(self):
        """A room raises an alarm, in words of its own; staff are told that there is one."""
        watch.alarm("unreached:0", now=timezone.now(), detail=canary("mail.Alarm.detail"))
        telling.look(timezone.now())
        self.ring()

    def mail_staff(self):
        """A mail that Django writes; it waits in the outbox."""
        words = " ".join(canary(f"mail.Letter.{place}") for place in ("kept", "kept_html", "frozen"))
        body = f"{words} http://testserver/admin/"
        outbox = get_connection(product.EMAIL_BACKEND)  # the test runner puts a dummy into the settings
        send_mail(canary("mail.Letter.subject"), body, None, [address("mail.Letter.to")], connection=outbox)
        letter = Letter.objects.get(kind="django")
        self.mails.append(Mail(letter, bytes(letter.frozen)))

    # --- People outside -----------------------------------------------------------------------------------------------

    def door(self, browser, page, **facts):
        """Fill in a short form as a person does: look at it, take some time, press the button."""
        shown = filled(browser.get(page))
        self.clock.shift(timedelta(seconds=20))
        return browser.post(page, shown | facts)

    def sign_contacts_up(self):
        """One who never confirms, one who does, and one whom staff put on the list."""
        ContactFactory(email="waits@example.org", now=SET_UP, confirmed=False)
        browser, page = Client(), reverse("applications:contact_signup")
        self.door(browser, page, email=address("applications.Contact.email"), states=["KE"])
        self.ring()
        assert browser.post(self.newest("contact_confirm").path).status_code == 200
        by_hand = {"email": "network@example.org", "language": "en", "source": canary("applications.Contact.source")}
        assert self.staff().post(reverse("admin:applications_contact_add"), by_hand).status_code == 302
        assert Contact.objects.confirmed().count() == 2

    def others_apply(self):
        """A draft whose file is damaged; applications sent, on the waiting list, declined, withdrawn; a lost link."""
        kenya, turkiye = self.call_of["KE"], self.call_of["TR"]
        draft = ApplicationFactory(state_call=turkiye, complete=False)
        for status in ("submitted", "waitlisted", "declined", "withdrawn"):
            ApplicationFactory(state_call=kenya, consents=["name"], **{status: True})
        draft.attach(upload(b"%PDF-1.7 torn"), Attachment.Kind.UPR_SUBMISSION, Verdict, now=timezone.now())
        self.door(Client(), reverse("applications:lost_link"), email="nobody@example.org")
        self.ring()

    def apply(self):
        """The whole way through the form, in one browser, with a canary in every answer."""
        browser, place = Client(), "applications.Application"
        start = reverse("applications:start", args=[54, "KE"])
        self.door(browser, start, email=address(f"{place}.email"), language="en")
        self.ring()
        assert browser.post(self.newest("application_link").path).status_code == 302
        for section, posted in APPLICATION.items():
            if section == "file":
                self.line_breaks(browser)
                name = f"{canary('applications.Attachment.original_name')}.pdf"
                content = pdf(canary("the file behind applications.Attachment.stored"))
                posted |= {"file": SimpleUploadedFile(name, content, "application/pdf")}
            if section == "issues":
                posted |= {"themes": [Theme.objects.get(slug="justice").pk]}
            saved = browser.post(reverse("applications:section", args=[section]), posted)
            assert saved.status_code == 302, saved.context["form"].errors
        sent = browser.post(reverse("applications:check"), {"understood": "on"})
        assert sent.url == reverse("applications:receipt")
        self.application = Application.objects.of_address(address(f"{place}.email")).get()
        self.applicant = browser
        cleaning.look_through(timezone.now())  # one is refused, and its applicant told
        assert Application.objects.get(pk=self.application.pk).upr_submission.is_readable
        self.ring()

    def line_breaks(self, browser):
        """A file in pieces, of which only the first one arrives; then the applicant sends it the plain way."""
        content = canary("the file behind applications.Attachment.stored").encode().ljust(uploads.LEAST)
        facts = {"name": f"{canary('applications.Upload.name')}.pdf", "size": 99_999, "kind": "upr_submission"}
        key = browser.post(reverse("applications:upload"), facts).json()["key"]
        address = f"{reverse('applications:upload_piece', args=[key])}?from=0"
        assert browser.post(address, content, content_type="application/octet-stream").status_code == 200

    def confirm_seat(self):
        """Who was accepted confirms, tells needs and passport, and takes the letter for the visa; another one gives up,
        and says why."""
        browser = self.applicant
        assert browser.post(reverse("applications:seat")).status_code == 302
        places = ("interpretation", "accessibility")
        needs = {place: canary(f"applications.Needs.{place}") for place in places} | {"visa_letter": "on"}
        assert browser.post(reverse("applications:needs"), needs).url == reverse("applications:passport")
        passport = {place: canary(f"applications.Needs.{place}") for place in Needs.PASSPORT}
        passport["passport_name"] += f" {_speaker('full_name')}"  # the letter is for nobody else
        assert browser.post(reverse("applications:passport"), passport).url == reverse("applications:seat")
        assert browser.get(reverse("applications:visa_letter"))["Content-Type"] == "application/pdf"
        other = ApplicationFactory(state_call=self.call_of["KE"], accepted=True, now=timezone.now())
        seat.give_up(other, now=timezone.now(), reason=canary("trail.Reason.text"))
        self.ring()

    def send_statement(self):
        """Reminded of it, the applicant sends the statement and says anew what may be published."""
        browser = self.applicant
        assert browser.post(self.newest("statement_due").path).status_code == 302
        name = f"{canary('applications.Attachment.original_name')}.pdf"
        content = pdf(canary("the file behind applications.Attachment.stored"))
        file = SimpleUploadedFile(name, content, "application/pdf")
        assert browser.post(reverse("applications:statement"), {"file": file}).status_code == 302
        asked = {"seen": as_asked(browser), "consent_name": "on"}
        assert browser.post(reverse("applications:consent_again"), asked).status_code == 302
        self.ring()

    def check_register(self):
        """Staff ask the missions whether what we have of them is right; Kenya's asks for changes."""
        assert self.staff().post(reverse("admin:missions_permanentmission_ask"), {"filter": ""}).status_code == 302
        self.ring()
        kenya = str(PermanentMission.objects.get(code="KE").pk)
        asked = [mail for mail in self.mails if mail.kind == "register_check" and mail.letter.recipient_id == kenya]
        posted = {"answer": "changes", "language": "fr", "form": canary("missions.RegisterCheck.answer")}
        posted |= {f"role_{number}": "mission" for number in (1, 2, 3)}
        self.check_path = asked[0].path
        assert Client().post(self.check_path, posted).status_code == 302

    def mission_answers(self):
        kenya = PermanentMission.objects.get(code="KE")
        self.invitation = Invitation.objects.get(mission=kenya)
        letters = [mail for mail in self.mails if mail.kind == "invitation"]
        own = next(mail for mail in letters if mail.letter.recipient_id == str(kenya.pk))
        self.invitation_path = own.path
        delegate = (canary("missions.Delegate.name"), canary("missions.Delegate.function"), "KE")
        note = canary("missions.Invitation.note")
        said = {"note": note, "delegates": [delegate], "KE": "in_person", "TR": "no"}
        assert Client().post(self.invitation_path, answers(self.invitation, **said)).status_code == 302
        colleague = {
            "colleague_email": address("missions.Colleague.email"),
            "colleague_name": canary("missions.Colleague.name"),
        }
        assert Client().post(f"{self.invitation_path}colleagues/", colleague).status_code == 302
        self.ring()
        said["question_TR"] = canary("missions.Question.words")
        assert Client().post(self.newest("passed_on").path, answers(self.invitation, **said)).status_code == 302
        page, browser = reverse("missions:new_link"), Client()
        asked = {**filled(browser.get(page)), "email": own.letter.to}
        self.clock.shift(timedelta(seconds=3))
        assert browser.post(page, asked).status_code == 302
        self.ring()


def _speaker(place):
    return canary(f"applications.Speaker.{place}")


def _application(*places):
    return {place: canary(f"applications.Application.{place}") for place in places}


APPLICATION = {
    "institution": {
        **_application("name", "name_latin", "aims", "address", "phone", "coalition_members"),
        "kind": "cso",
        "is_coalition": "True",
        "scope": "national",
        "founded_year": 1998,
        "ecosoc_status": "none",
        "website": f"https://{canary('applications.Application.website')}.example.org/",
    },
    "speaker": {
        **{place: _speaker(place) for place in ("full_name", "position", "part_in_upr", "phone", "guardian_name")},
        "email": address("applications.Speaker.email"),
        "spoken_english": "good",
        "attends": "remote",
        "under_18": "on",
        "guardian_agrees": "on",
    },
    "issues": {
        **_application("issues", "follow_up"),
    },
    "recommendations": {"recommendation_1": canary("applications.Recommendation.text")},
    "submission": {**_application("joint_submitters"), "submission_kind": "joint"},
    "file": {},
    "safety": {**_application("security_note"), "consent_name": "on"},
}
