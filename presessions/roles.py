"""The six roles of staff: who may do what. Wiring: the only place that knows roles by name; all else asks for a right.

`migrate` makes them as groups and sets their rights as they stand here (apps.py), so that what is written here is what
holds; nobody edits them by hand. A right that nobody needs for the work of a role is not in it: the test of the access
matrix (tests/promises/test_c2_access_matrix.py) shows what each page answers to each role.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

LOOK, KEEP = ("view",), ("view", "add", "change")

THE_YEAR = ("upr.series", "upr.countrymeeting", "upr.state", "upr.stateunderreview", "upr.workinggroupsession")
CALLS = ("applications.call", "applications.statecall", "applications.theme")
REGISTER = ("missions.permanentmission", "missions.missionaddress")
AFTERWARDS = ("applications.maderecommendation", "applications.takenup")
ON_THE_DAY = ("missions.doornote", "missions.floorquestion")
REPLIES = ("missions.invitation", "missions.reply", "missions.delegate", "missions.missiontask")


def rights(verbs, *models):
    """Django's rights on models: "upr.view_series" and so on."""
    return {f"{app}.{verb}_{name}" for app, name in (model.split(".") for model in models) for verb in verbs}


READ = (
    rights(LOOK, *THE_YEAR, *CALLS, "applications.application", "applications.organisation")
    | rights(LOOK, "missions.permanentmission", "missions.invitation", "missions.reply", "mail.mailing")
)  # fmt: skip
ASSESS = READ | {"applications.assess", "applications.read_document"}
LEAD = (
    ASSESS
    | {"applications.decide", "applications.compose", "applications.enter", "applications.export"}
    | rights(KEEP, *THE_YEAR, *CALLS, "applications.organisation", "applications.contact")
    | {"applications.delete_organisation", "applications.delete_contact"}
    | rights(("view", "change"), "mail.mailing", "mail.letter")
    | rights(LOOK, "missions.missiontask", "missions.missionfeedback", "missions.question", *ON_THE_DAY)
    | rights((*KEEP, "delete"), *AFTERWARDS)
    | {"missions.note_at_door", "applications.view_speakerfeedback"}
)
MISSIONS = (
    rights(LOOK, *THE_YEAR)
    | rights((*KEEP, "delete"), *REGISTER)
    | rights(("view", "change"), *REPLIES, "missions.registercheck", "missions.colleague")
    | rights(LOOK, "missions.missionfeedback", "missions.question", *ON_THE_DAY)
    | {"missions.note_at_door"}
    | rights(("view", "change"), "mail.mailing")
)
SAFETY = ASSESS | {"applications.reveal", "trail.view_event", "retention.forget"}  # alone assesses people at risk
ADMINISTER = (
    LEAD | MISSIONS | {"trail.view_event", "retention.forget", "accounts.view_role"} | rights(KEEP, "accounts.user")
)


@dataclass(frozen=True)
class Role:
    """A group; `name` is its key in the database, in English, and what staff read is its translation."""

    name: str
    words: str  # the name, to translate
    may: str  # what it is for, for whoever gives it to somebody
    rights: frozenset


ROLES = (
    Role("Reader", _("Reader"),
         _("Reads series, applications, missions’ replies and mailings. Changes nothing, opens no document."),
         frozenset(READ)),
    Role("Reviewer", _("Reviewer"),
         _("Reads applications and their documents, and assesses them."), frozenset(ASSESS)),
    Role("Series lead", _("Series lead"),
         _("Sets a series up, composes panels, decides and releases answers and mailings, takes files out."),
         frozenset(LEAD)),
    Role("Mission desk", _("Mission desk"),
         _("Keeps the register of missions, follows their replies, releases their mailings. Sees no application."),
         frozenset(MISSIONS)),
    Role("Safety officer", _("Safety officer"),
         _("May open what is masked of people at risk, assesses their applications, and reads the trail."),
         frozenset(SAFETY)),
    Role("Administrator", _("Administrator"),
         _("Keeps the staff and their rights, and may step in for a series lead and the mission desk. "
           "Does not see behind the mask of people at risk."), frozenset(ADMINISTER)),
)  # fmt: skip


def called(name):
    """The Role of a group's name, or None."""
    return next((role for role in ROLES if role.name == name), None)


def make(**_signal):
    """Make the six groups, or give them back the rights that stand here. After each `migrate`."""
    from django.contrib.auth.models import Group, Permission

    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for role in ROLES:
        group, _created = Group.objects.get_or_create(name=role.name)
        wanted = {known[right] for right in role.rights if right in known}
        if wanted != set(group.permissions.values_list("pk", flat=True)):
            group.permissions.set(wanted)


def missing():
    """Rights that stand here and that no model has: a slip of the pen. For the test."""
    from django.contrib.auth.models import Permission

    known = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    return {right for role in ROLES for right in role.rights} - known
