"""For whom a list of applications may leave the house, and what each of them gets. Room: applications.

Each audience gets what it needs and no more: the security service of the United Nations no themes, a moderator no
addresses, statistics no names, the public only what the speaker has cleared. Nobody gets the private security note.
Drafts and what was taken back go out to nobody, and what is masked goes out masked or not at all.
"""

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from applications.at_risk import MASKED, is_masked_for
from applications.exporting import Audience, Column
from applications.models import Application, Assessment, Consent, Seat, Speaker
from presessions.trail import words
from presessions.upr.dates import day_of

Status = Application.Status
HIDDEN = (Status.DRAFT, Status.WITHDRAWN)
EXPORT, READ = "applications.export", "applications.read_document"
UNREAD = ("security_note",)  # in no export
CALL_NUMBER = "state_call__call__series__session__number"
STATE_KEY = "state_call__meeting__state_under_review__state__sort_key"


def readable(rows):
    """With all that columns ask for: the same few queries for one row and for thousands."""
    others = Application.objects.filter(organisation=OuterRef("organisation")).sent()
    before = others.filter(submitted_at__lt=OuterRef("submitted_at")).exclude(pk=OuterRef("pk"))
    views = Assessment.objects.filter(application=OuterRef("pk"), abstained=False).order_by().values("application")
    assessed = Coalesce(Subquery(views.annotate(number=Count("pk")).values("number")), 0)
    return (
        rows.exclude(status__in=HIDDEN)
        .with_state()
        .select_related("needs", "seat__panel", "organisation")
        .prefetch_related("speakers", "themes", "recommendations", "consents", "attachments")
        .annotate(applied_before=Exists(before), assessment_number=assessed)
        .defer(*UNREAD)
        .order_by(f"-{CALL_NUMBER}", STATE_KEY, "submitted_at", "pk")
    )


def seated(rows):
    """Those who sit on a panel, in the order in which they speak."""
    on_panel = Exists(Seat.objects.filter(application=OuterRef("pk"), place=Seat.Place.PANEL))
    ours = readable(rows).filter(Q(status__in=Application.HOLDS_SEAT) | on_panel)
    starts, order = F("state_call__meeting__starts_at"), F("seat__position")
    return ours.order_by(starts.asc(nulls_last=True), STATE_KEY, order.asc(nulls_last=True), "submitted_at")


def wanting_badges(rows):
    return seated(rows).filter(status__in=Application.HOLDS_SEAT, needs__badge=True)


def to_publish(rows):
    return seated(rows).filter(status=Status.CONFIRMED)


# --- What stands in a cell -------------------------------------------------------------------------------------------


def of(name):
    """The value of a field in words."""

    def value(application):
        field = Application._meta.get_field(name)
        return getattr(application, f"get_{name}_display")() if field.choices else getattr(application, name)

    return value


def of_person(name, role="speaker"):
    def value(application):
        person = getattr(application, role)
        if person is None:
            return ""
        field = Speaker._meta.get_field(name)
        return getattr(person, f"get_{name}_display")() if field.choices else getattr(person, name)

    return value


def of_passport(name):
    return lambda application: getattr(application.needs, name) or _("not answered")


def series(application):
    return application.state_call.series.number


def state(application):
    return application.state_call.state.name


def themes(application):
    return "; ".join(theme.name for theme in application.themes.all())


def recommendations(application):
    return "\n".join(f"{row.position}. {row.text}" for row in application.recommendations.all())


def words_of_submission(application):
    file = application.upr_submission
    return file.words if file and file.words else None


def meeting_starts(application):
    return application.meeting.starts_at


def meeting_day(application):
    starts = application.meeting.starts_at
    return starts and day_of(starts)


def name(application):
    return application.name_latin or application.name


def order(application):
    seat = getattr(application, "seat", None)
    return seat.position if seat and seat.place == Seat.Place.PANEL else None


def minutes(application):
    seat = getattr(application, "seat", None)
    return seat.minutes if seat and seat.place == Seat.Place.PANEL else None


def cleared(item):
    return lambda application: item in application.cleared_items()


def if_cleared(item, value, otherwise=lambda application: ""):
    return lambda application: value(application) if item in application.cleared_items() else otherwise(application)


def described(application):
    """An institution without its name, as it is announced where nobody has agreed to more."""
    if application.kind == Application.Kind.NHRI:
        return _("a national human rights institution")
    national = application.scope == Application.Scope.NATIONAL
    return _("a national CSO") if national else _("an international CSO")


def region(application):
    return application.state_call.state.get_regional_group_display()


# --- The audiences ---------------------------------------------------------------------------------------------------

REFERENCE = Column(gettext_lazy("reference"), of("reference"), open=True)
SERIES = Column(gettext_lazy("series"), series, open=True)
STATE = Column(gettext_lazy("State"), state, open=True)
KIND = Column(gettext_lazy("kind"), lambda application: str(application.short_kind), open=True)
STATUS = Column(gettext_lazy("status"), of("status"), open=True)
NAME = Column(gettext_lazy("institution"), name)
SPEAKER = Column(gettext_lazy("speaker"), of_person("full_name"))
POSITION = Column(pgettext_lazy("of a person", "position"), of_person("position"))
ENGLISH = Column(gettext_lazy("spoken English"), of_person("spoken_english"))
ATTENDS = Column(gettext_lazy("attends"), of_person("attends"))
THEMES = Column(gettext_lazy("themes"), themes)
SCOPE = Column(gettext_lazy("national or international"), of("scope"))
GANHRI = Column(gettext_lazy("GANHRI status"), of("ganhri_status"))
ECOSOC = Column(gettext_lazy("ECOSOC status"), of("ecosoc_status"))
COALITION = Column(gettext_lazy("speaks for a coalition"), of("is_coalition"))
GENDER = Column(gettext_lazy("gender"), of_person("gender"))
BEFORE = Column(gettext_lazy("has applied before"), lambda application: application.applied_before)
LANGUAGE = Column(gettext_lazy("language"), of("language"))
STARTS = Column(gettext_lazy("meeting, Geneva time"), meeting_starts, open=True)
RECOMMENDATIONS = Column(gettext_lazy("recommendations"), recommendations)

INTERNAL = Audience(
    name="internal",
    label=gettext_lazy("Us at UPR Info"),
    words=gettext_lazy("Every answer, with addresses. No private security note and no passport."),
    columns=(
        REFERENCE, SERIES, STATE, KIND, STATUS,
        Column(gettext_lazy("name of the institution"), of("name")),
        Column(gettext_lazy("name in Latin letters"), of("name_latin")),
        Column(gettext_lazy("in the register"), lambda row: row.organisation.reference if row.organisation else ""),
        BEFORE, SCOPE, GANHRI, ECOSOC,
        Column(gettext_lazy("founded in"), of("founded_year")),
        COALITION,
        Column(gettext_lazy("members of the coalition"), of("coalition_members")),
        Column(gettext_lazy("aims and work"), of("aims")),
        Column(gettext_lazy("website"), of("website")),
        Column(gettext_lazy("postal address"), of("address")),
        Column(gettext_lazy("telephone"), of("phone")),
        Column(gettext_lazy("e-mail address"), of("email")),
        LANGUAGE, SPEAKER, POSITION,
        Column(gettext_lazy("experience and part in the UPR"), of_person("part_in_upr")),
        Column(gettext_lazy("speaker’s e-mail address"), of_person("email")),
        Column(gettext_lazy("speaker’s telephone"), of_person("phone")),
        GENDER, ENGLISH, ATTENDS,
        Column(gettext_lazy("under 18"), of_person("under_18")),
        Column(gettext_lazy("replacement"), of_person("full_name", "replacement")),
        THEMES,
        Column(gettext_lazy("issues"), of("issues")),
        Column(gettext_lazy("follow-up since the last review"), of("follow_up")),
        RECOMMENDATIONS,
        Column(gettext_lazy("UPR submission"), of("submission_kind")),
        Column(gettext_lazy("submitted jointly by"), of("joint_submitters")),
        Column(gettext_lazy("words of the submission"), words_of_submission),
        Column(gettext_lazy("assessments"), lambda application: application.assessment_number),
        Column(gettext_lazy("prepared"), of("prepared")),
        Column(gettext_lazy("sent"), of("submitted_at")),
        Column(gettext_lazy("finished in the hour of grace"), of("in_grace")),
        Column(gettext_lazy("received by e-mail"), of("received_at")),
    ),
    rows=readable,
    rights=(EXPORT,),
    code="exported_internal",
    masks=is_masked_for,
    masked=MASKED,
)  # fmt: skip

MODERATOR = Audience(
    name="moderator",
    label=gettext_lazy("A moderator"),
    words=gettext_lazy("Who speaks when, on what, and what each has agreed to. No addresses. Only those with a seat."),
    columns=(
        STARTS, STATE,
        Column(gettext_lazy("order"), order, open=True),
        Column(gettext_lazy("minutes"), minutes, open=True),
        KIND, NAME, SPEAKER, POSITION, ENGLISH, ATTENDS, THEMES,
        Column(gettext_lazy("issues"), of("issues")),
        RECOMMENDATIONS,
        Column(gettext_lazy("name may be published"), cleared(Consent.Item.NAME)),
        Column(gettext_lazy("may be photographed"), cleared(Consent.Item.PHOTO)),
        Column(gettext_lazy("may be recorded"), cleared(Consent.Item.RECORDING)),
    ),
    rows=seated,
    rights=(EXPORT,),
    code="exported_moderator",
    masks=is_masked_for,
    masked=MASKED,
)  # fmt: skip

BADGES = Audience(
    name="badges",
    label=gettext_lazy("Security of the United Nations: badges"),
    words=gettext_lazy(
        "Names and passports of those with a seat who need a badge, and the day. No State, no theme. People at risk "
        "are left out until they are revealed."
    ),
    columns=(
        Column(gettext_lazy("name as in the passport"), of_passport("passport_name")),
        Column(gettext_lazy("number of the passport"), of_passport("passport_number")),
        Column(gettext_lazy("nationality"), of_passport("nationality")),
        Column(gettext_lazy("date of birth"), of_passport("born_on")),
        NAME,
        Column(gettext_lazy("day"), meeting_day),
    ),
    rows=wanting_badges,
    rights=(EXPORT, READ),
    code="exported_badges",
    masks=is_masked_for,
    left_out=True,
)

PUBLICATION = Audience(
    name="publication",
    label=gettext_lazy("The public"),
    words=gettext_lazy(
        "Confirmed speakers, and of each only what that person has cleared. People at risk are left out until they are "
        "revealed."
    ),
    columns=(
        SERIES, STARTS, STATE,
        Column(gettext_lazy("institution"), if_cleared(Consent.Item.ORGANISATION, name, described)),
        Column(gettext_lazy("speaker"), if_cleared(Consent.Item.NAME, of_person("full_name"))),
        Column(gettext_lazy("recommendations"), if_cleared(Consent.Item.RECOMMENDATIONS, recommendations)),
        Column(gettext_lazy("statement may be published"), cleared(Consent.Item.STATEMENT)),
        Column(gettext_lazy("fact sheet may be published"), cleared(Consent.Item.FACT_SHEET)),
        Column(gettext_lazy("photographs may be published"), cleared(Consent.Item.PHOTO)),
        Column(gettext_lazy("recording may be published"), cleared(Consent.Item.RECORDING)),
    ),
    rows=to_publish,
    rights=(EXPORT,),
    code="exported_publication",
    masks=is_masked_for,
    left_out=True,
)  # fmt: skip

STATISTICS = Audience(
    name="statistics",
    label=gettext_lazy("Statistics"),
    words=gettext_lazy("What can be counted, without a name, an address or a reference."),
    columns=(
        SERIES, STATE,
        Column(gettext_lazy("regional group"), region, open=True),
        KIND, STATUS, SCOPE, GANHRI, ECOSOC, COALITION, BEFORE, THEMES, GENDER, ENGLISH, ATTENDS, LANGUAGE,
        Column(gettext_lazy("minutes"), minutes),
    ),
    rows=readable,
    rights=(EXPORT,),
    masks=is_masked_for,
    masked=MASKED,
)  # fmt: skip

# --- Contacts --------------------------------------------------------------------------------------------------------


def contacts(rows):
    return rows.select_related("entered_by").prefetch_related("states").order_by("-asked_at", "-pk")


CONTACTS = Audience(
    name="internal",
    label=gettext_lazy("Us at UPR Info"),
    words=gettext_lazy("Addresses with their language and States, and where each comes from."),
    columns=(
        Column(gettext_lazy("reference"), lambda contact: contact.reference),
        Column(gettext_lazy("e-mail address"), lambda contact: contact.email),
        Column(gettext_lazy("language"), lambda contact: contact.get_language_display()),
        Column(
            gettext_lazy("States of interest"),
            lambda contact: "; ".join(sorted(state.name for state in contact.states.all())),
        ),
        Column(gettext_lazy("source"), lambda contact: contact.source),
        Column(gettext_lazy("entered by"), lambda contact: contact.entered_by),
        Column(gettext_lazy("signed up"), lambda contact: contact.asked_at),
        Column(gettext_lazy("confirmed"), lambda contact: contact.confirmed_at),
        Column(gettext_lazy("bounced"), lambda contact: contact.bounced_at),
        Column(gettext_lazy("left"), lambda contact: contact.left_at),
    ),
    rows=contacts,
    rights=(EXPORT,),
    code="exported",
)

AUDIENCES = (INTERNAL, MODERATOR, BADGES, PUBLICATION, STATISTICS)
CODES = {
    "exported_internal": gettext_lazy("exported for us at UPR Info"),
    "exported_moderator": gettext_lazy("exported for a moderator"),
    "exported_badges": gettext_lazy("exported for badges, with the passport"),
    "exported_publication": gettext_lazy("exported for the public"),
}
words.give("applications", CODES, looks=CODES)
words.give("applications.contact", {"exported": gettext_lazy("exported")}, looks=("exported",))
