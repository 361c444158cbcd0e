"""Everybody outside the desk, each in a browser of their own, as the access matrix walks them through all addresses.

    people = People(world)         two applicants, two missions, two people on the list; all by the steps of the product
    people.walk("applicant A")     {(method, name): (status, all that lies open there)}, by the lines of access_outside

What a request does is undone, and so is what it did to the browser's cookies.
"""

import copy
import re
from dataclasses import dataclass, field

from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications import uploads
from applications.models import Application
from missions.models import Colleague, Invitation, PermanentMission, RegisterCheck
from presessions.mail import links
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import with_password_only
from tests.applications.factories import ApplicationFactory, ContactFactory
from tests.applications.seats import open_session
from tests.house.sensitivity import FIELDS, SECRET
from tests.house.world import address, canary
from tests.missions.pages import answers
from tests.promises.access_outside import MACHINE, OFF, OPEN, OWN, PURPOSES, TABLE
from tests.promises.walk import addresses, contents

NOBODY, A, B, KENYA, OTHER, CONTACT = (
    "nobody", "applicant A", "applicant B", "Kenya’s mission", "another mission", "somebody on the list",
)  # fmt: skip
READER, LEAD, HALF = "a reader", "a series lead", "an administrator without a second factor"
ROLES = (NOBODY, A, B, KENYA, OTHER, CONTACT, READER, LEAD, HALF)
WITHOUT_COOKIES = (NOBODY, KENYA, OTHER, CONTACT)  # their browsers are the same but for the links they hold
OF_STAFF = ("applications.Assessment.note", "applications.Panel.note", "applications.Organisation.note",
            "missions.MissionTask.note", "trail.Reason.text", "mail.Alarm.detail")  # fmt: skip
NO_TOKEN = "x" * 43
OF_A = ("Application", "Speaker", "Recommendation", "Needs", "SpeakerFeedback")
OF_KENYA = ("Delegate.name", "Delegate.function", "Invitation.note", "Colleague.name", "Question.words")
MADE_ANEW = re.compile(r'(name="(?:csrfmiddlewaretoken|shown|seen)" value)="[^"]*"')


def mark(place):
    """Of the second ones: a word that stands in one place of theirs alone."""
    return canary(f"the other one’s {place}")


@dataclass
class People:
    world: object
    browsers: dict = field(default_factory=dict)
    tokens: dict = field(default_factory=dict)  # {who: {purpose: token}}
    words: dict = field(default_factory=dict)  # {who: what stands in their rows and nowhere else}
    keys: dict = field(default_factory=dict)  # {who: an upload that has begun}
    walked: dict = field(default_factory=dict)

    def __post_init__(self):
        self.now = timezone.now()
        self.applicants()
        self.missions()
        self.contacts()
        self.staff()

    def applicants(self):
        self.a = Application.objects.with_state().get(pk=self.world.application.pk)
        then = self.a.seat_answered_at
        self.b = ApplicationFactory(state_call=self.a.state_call, email=f"{mark('address')}@example.org",
                                    confirmed=True, name=mark("name"), aims=mark("aims"), issues=mark("issues"),
                                    full_name=mark("speaker"), now=then)  # fmt: skip
        secret = [place for place, who in FIELDS.items() if who == SECRET and place.split(".")[1] in OF_A]
        self.words[A] = {self.a.reference, *map(canary, secret)}
        self.words[B] = {self.b.reference, *map(mark, ("address", "name", "aims", "issues", "speaker"))}
        for who, application in ((A, self.a), (B, self.b)):
            self.browsers[who] = open_session(Client(), application)
            self.tokens[who] = {"application": self.link("application", application.reference)}
            begun = uploads.begin(application, "statement", name="x.pdf", size=99_999, sha256="", now=self.now)
            self.keys[who] = begun.key

    def missions(self):
        series, other = self.world.series, PermanentMission.objects.get(code="VA")
        self.kenya = Invitation.objects.get(pk=self.world.invitation.pk)
        self.other = Invitation.objects.write_down(series, [other], self.now)[other.pk]
        said = {"note": mark("note"), "delegates": [(mark("delegate"), "Counsellor", "")], "TR": "in_person"}
        link = self.link("invitation", self.other.reference)
        answer = Client().post(reverse("missions:invitation", args=[link]), answers(self.other, **said))
        assert answer.status_code == 302, answer.context["form"].errors
        mail = f"{mark('colleague')}@example.org"
        passed = {"colleague_email": mail, "colleague_name": mark("colleague’s name")}
        assert Client().post(reverse("missions:pass_on", args=[link]), passed).status_code == 302
        self.words[KENYA] = {self.kenya.reference, *(canary(f"missions.{place}") for place in OF_KENYA)}
        self.words[KENYA] |= {address("missions.Colleague.email"), address("missions.MissionAddress.email")}
        self.words[OTHER] = {self.other.reference, *map(mark, ("note", "delegate", "colleague", "colleague’s name"))}
        checks = {KENYA: RegisterCheck.objects.get(mission__code="KE"), OTHER: RegisterCheck.objects.get(mission=other)}
        for who, invitation in ((KENYA, self.kenya), (OTHER, self.other)):
            colleague = Colleague.objects.get(invitation=invitation)
            self.keys[who] = colleague.reference
            self.tokens[who] = {
                "invitation": self.link("invitation", invitation.reference),
                "colleague": self.link("colleague", colleague.reference),
                "register_check": self.link("register_check", checks[who].reference),
            }

    def contacts(self):
        self.contact, self.waits = ContactFactory(now=self.now), ContactFactory(now=self.now, confirmed=False)
        self.tokens[CONTACT] = {
            "leave": self.link("leave", self.contact.reference),
            "contact_confirm": self.link("contact_confirm", self.waits.reference),
        }

    def staff(self):
        for who, role in ((READER, "Reader"), (LEAD, "Series lead"), (HALF, "Administrator")):
            person, browser = StaffFactory(is_superuser=False), Client()
            person.groups.set(Group.objects.filter(name=role))
            with_password_only(browser, person) if who == HALF else browser.force_login(person)
            self.browsers[who] = browser

    def link(self, purpose, target):
        return links.mint(purpose, target, letter=None, now=self.now)

    def every_token(self):
        """{purpose: a token that opens something}"""
        return {purpose: token for mine in self.tokens.values() for purpose, token in mine.items()}

    def browser(self, who):
        return self.browsers.get(who) or Client()

    # --- Walking ----------------------------------------------------------------------------------------------------

    def address(self, name, who, token=NO_TOKEN):
        """Where a line of the table is, with what is `who`'s own in the place of each argument."""
        own = {"number": 54, "iso2": "KE", "section": "speaker", "token": token}
        own["key"] = self.keys[who] if name == "applications:upload_piece" and who in self.keys else "0" * 20
        own["reference"] = self.keys[who] if who in (KENYA, OTHER) else "AAAAA-AAAAA"
        return reverse(name, kwargs={argument: own[argument] for argument in ARGUMENTS[name]})

    def ask(self, who, method, at, posted=None):
        """(status, what lies open) of one request, which leaves nothing behind."""
        browser = self.browser(who)
        cookies = copy.copy(browser.cookies)
        with transaction.atomic():
            answer = browser.post(at, posted or {}) if method == "POST" else browser.get(at)
            told = answer.status_code, MADE_ANEW.sub(r"\1", contents(answer))
            transaction.set_rollback(True)
        browser.cookies = cookies
        return told

    def walk(self, who):
        """Every line of the table; of those without cookies only what a link can change, the rest is nobody's."""
        if who not in self.walked:
            found = {}
            for line, rule in TABLE.items():
                if who in WITHOUT_COOKIES and who != NOBODY and not hasattr(rule, "purposes"):
                    continue
                method, _space, name = line.rpartition(" ")
                token = next(
                    (t for purpose, t in self.tokens.get(who, {}).items() if purpose in purposes(rule)), NO_TOKEN
                )
                found[method or "GET", name] = self.ask(who, method or "GET", self.address(name, who, token))
            self.walked[who] = found
        return self.walked[who]

    def may(self, who, rule):
        """Whether the table gives them an answer."""
        if rule in (OPEN, MACHINE):
            return True
        if rule in (OWN, OFF):
            return rule == OWN and who in (A, B)
        return bool(self.tokens.get(who, {}).keys() & set(rule.purposes))


def purposes(rule):
    return getattr(rule, "purposes", ())


def rule_of(method, name):
    return TABLE[name if method == "GET" else f"{method} {name}"]


ARGUMENTS = dict(addresses())
assert {purpose for rule in TABLE.values() for purpose in purposes(rule)} == set(PURPOSES)
