"""What of the register and of the missions' answers may leave the house. Room: missions.

Missions are institutions, and their answers are no secret among us; delegates are people, whose names go out only to
those who stand at the door. Whoever keeps the register may take it out.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy

from applications.exporting import Audience, Column
from missions.models import Delegate, Reply
from presessions.mail.models import Letter

KEEPS_THE_REGISTER = ("missions.change_permanentmission",)
US = gettext_lazy("Us at UPR Info")


def _display(name):
    return lambda row: getattr(row, f"get_{name}_display")()


def _of(name):
    return lambda row: getattr(row, name)


# --- The register -----------------------------------------------------------------------------------------------------


HEADINGS = {  # by field; `register_import` reads what goes out under them
    "mission": gettext_lazy("mission of"),
    "code": gettext_lazy("code"),
    "email": gettext_lazy("e-mail address"),
    "role": gettext_lazy("whose"),
    "position": gettext_lazy("order"),
    "valid_from": gettext_lazy("valid from"),
    "valid_until": gettext_lazy("valid until"),
    "language": gettext_lazy("language of letters"),
    "address_form_en": gettext_lazy("form of address in English"),
    "address_form_fr": gettext_lazy("form of address in French"),
    "address_form_es": gettext_lazy("form of address in Spanish"),
    "address_form_ar": gettext_lazy("form of address in Arabic"),
    "address_form_zh": gettext_lazy("form of address in Chinese"),
    "address_form_ru": gettext_lazy("form of address in Russian"),
    "in_geneva": gettext_lazy("in Geneva"),
    "source": gettext_lazy("source"),
    "as_of": gettext_lazy("as of"),
}
FORMS = [name for name in HEADINGS if name.startswith("address_form_")]


@dataclass(frozen=True)
class Line:
    """One address of a mission, or none."""

    mission: Any
    address: Any = None


def register(missions):
    """Every address of every mission, ended and bounced ones too; a mission without any has a line as well."""
    for mission in missions.with_state().prefetch_related("addresses").order_by("sort_key"):
        for address in mission.addresses.all() or [None]:
            yield Line(mission, address)


def _mission(name, say=_of):
    return Column(HEADINGS[name], lambda line: say(name)(line.mission))


def _address(name, say=_of):
    return Column(HEADINGS[name], lambda line: say(name)(line.address) if line.address else "")


def group(mission):
    return mission.state.get_regional_group_display() if mission.state else ""


REGISTER = Audience(
    name="register",
    label=US,
    words=gettext_lazy(
        "Missions with all their addresses, one on each line. Changed in a spreadsheet, it can be read back."
    ),
    columns=(
        Column(HEADINGS["mission"], lambda line: line.mission.name),
        _mission("code"),
        Column(gettext_lazy("kind"), lambda line: line.mission.get_kind_display()),
        Column(gettext_lazy("regional group"), lambda line: group(line.mission)),
        _address("email"),
        _address("role", _display),
        _address("position"),
        _address("valid_from"),
        _address("valid_until"),
        Column(gettext_lazy("bounced"), lambda line: line.address and line.address.bounced_at),
        _mission("language", _display),
        *map(_mission, FORMS),
        _mission("in_geneva", _display),
        _mission("source"),
        _mission("as_of"),
        Column(gettext_lazy("checked by the mission"), lambda line: line.mission.checked_at),
    ),
    rows=register,
    rights=KEEPS_THE_REGISTER,
)

# --- Invitations ------------------------------------------------------------------------------------------------------


def invitations(rows):
    replies = Reply.objects.select_related("meeting__state_under_review__state")
    people = Delegate.objects.select_related("meeting__state_under_review__state")
    found = rows.with_names().prefetch_related(Prefetch("replies", replies), Prefetch("delegates", people))
    found = list(found.order_by("-series__session__number", "mission__sort_key"))
    letters = Letter.objects.filter(
        kind="invitation", recipient_kind="mission", mailing__series__in={i.series_id for i in found}
    )
    by_mission = {
        (series, mission): state
        for series, mission, state in letters.order_by("pk").values_list("mailing__series", "recipient_id", "state")
    }
    for invitation in found:
        state = by_mission.get((invitation.series_id, str(invitation.mission_id)))
        invitation.letter_words = Letter.State(state).label if state else ""
    return found


def _states(*answers):
    def value(invitation):
        given = [reply for reply in invitation.replies.all() if reply.answer in answers]
        return "; ".join(sorted(reply.meeting.state.name for reply in given))

    return value


def _floor(invitation):
    return any(reply.wants_floor for reply in invitation.replies.all())


def _people(invitation):
    return "\n".join(_person(one) for one in invitation.delegates.all())


def _person(delegate):
    where = f" – {delegate.meeting.state.name}" if delegate.meeting else ""
    return ", ".join(filter(None, (delegate.name, delegate.function))) + where


MISSION = Column(gettext_lazy("mission of"), lambda row: row.mission.name)
SERIES = Column(gettext_lazy("series"), lambda row: row.series.number)
ANSWERED = Column(gettext_lazy("answered"), _of("answered_at"))
COMING = (
    Column(gettext_lazy("in person"), _states(Reply.Answer.IN_PERSON)),
    Column(gettext_lazy("online"), _states(Reply.Answer.ONLINE)),
    Column(gettext_lazy("undecided"), _states(Reply.Answer.UNDECIDED)),
    Column(gettext_lazy("no"), _states(Reply.Answer.NO)),
)

INVITATIONS = (
    Audience(
        name="internal",
        label=US,
        words=gettext_lazy("What became of each invitation, every answer, the delegates, and the mission’s note."),
        columns=(
            MISSION,
            Column(gettext_lazy("regional group"), lambda row: group(row.mission)),
            SERIES,
            Column(gettext_lazy("letter"), _of("letter_words")),
            ANSWERED,
            *COMING,
            Column(gettext_lazy("wishes to take the floor"), _floor),
            Column(gettext_lazy("delegates"), _people),
            Column(gettext_lazy("note"), _of("note")),
        ),
        rows=invitations,
        rights=KEEPS_THE_REGISTER,
    ),
    Audience(
        name="door",
        label=gettext_lazy("Who stands at the door"),
        words=gettext_lazy("Missions and their delegates, in order. No note and no address."),
        columns=(MISSION, SERIES, *COMING[:2], Column(gettext_lazy("delegates"), _people)),
        rows=lambda rows: invitations(rows.answered()),
        rights=KEEPS_THE_REGISTER,
    ),
    Audience(
        name="statistics",
        label=gettext_lazy("Statistics"),
        words=gettext_lazy("Who answered, and what, without delegates and without notes."),
        columns=(
            MISSION,
            Column(gettext_lazy("regional group"), lambda row: group(row.mission)),
            SERIES,
            ANSWERED,
            *COMING,
        ),
        rows=invitations,
        rights=KEEPS_THE_REGISTER,
    ),
)

# --- Answers ----------------------------------------------------------------------------------------------------------


def replies(rows):
    named = ("invitation__mission__state", "meeting__state_under_review__state", "meeting__state_under_review__session")
    in_order = ("-meeting__state_under_review__session__number", "meeting__state_under_review__state__sort_key")
    return rows.select_related(*named).order_by(*in_order, "invitation__mission__sort_key")


REPLIES = Audience(
    name="answers",
    label=US,
    words=gettext_lazy("One line for each answer. No delegates."),
    columns=(
        Column(gettext_lazy("mission of"), lambda row: row.invitation.mission.name),
        Column(gettext_lazy("regional group"), lambda row: group(row.invitation.mission)),
        Column(gettext_lazy("series"), lambda row: row.meeting.state_under_review.session.number),
        Column(gettext_lazy("meeting on"), lambda row: row.meeting.state.name),
        Column(gettext_lazy("answer"), _display("answer")),
        Column(gettext_lazy("wishes to take the floor"), _of("wants_floor")),
        Column(gettext_lazy("when"), _of("at")),
    ),
    rows=replies,
    rights=KEEPS_THE_REGISTER,
)
