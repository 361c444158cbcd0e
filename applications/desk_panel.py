"""The panel of one meeting on the staff's desk: composed, promoted, its answers prepared. Room: applications.

The builder is one form. Without scripts each of its buttons saves; with them `static/desk/panel.js` moves the lines and
the whole is saved by one button. Either way a POST carries everything that is on the page, and the version it was made
from.
"""

import json
from dataclasses import asdict, dataclass, replace

from django.contrib import messages
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from applications import agenda, at_risk, panel, rules
from applications.balance import Voice, balance, warns_of_time
from applications.desk import PILLS, of_series, require
from applications.models import Agenda, Application
from applications.panel import ChangedMeanwhile, Composition, Place
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

MOST_WORDS = 2000  # signs of the note for the moderator
ELSEWHERE = "-"  # of a line in neither list


@dataclass(frozen=True)
class Line:
    """One application as the builder shows it."""

    application: Application
    name: str
    masked: bool
    voice: Voice
    themes: list
    minutes: int
    where: str

    @property
    def pill(self):
        return PILLS[self.application.status]

    @property
    def can_wait(self):
        return self.application.status in panel.CAN_WAIT

    @property
    def national(self):
        return {True: "yes", False: "no", None: ""}[self.voice.is_national]


# --- All meetings ----------------------------------------------------------------------------------------------------


def index(request, site):
    """Every meeting with a call, the newest series first: how far its panel is."""
    require(request, "view_application")
    places = {
        name: Count("panel__seats", filter=Q(panel__seats__place=where, panel__seats__application__status__in=statuses))
        for name, where, statuses in (
            ("speakers", Place.PANEL, panel.PLACEABLE),
            ("confirmed", Place.PANEL, (Application.Status.CONFIRMED,)),
            ("waiting", Place.WAITING, panel.PLACEABLE),
        )
    }
    newest = Agenda.objects.filter(meeting=OuterRef("pk")).order_by("-number").values("number")[:1]
    meetings = (
        CountryMeeting.objects.filter(state_call__isnull=False)
        .with_state()
        .annotate(**places, published=Subquery(newest))
        .order_by(
            "-state_under_review__session__number",
            F("starts_at").asc(nulls_last=True),
            "state_under_review__state__sort_key",
        )
    )
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Panels and agendas"),
        **of_series(request, meetings),
    }
    return TemplateResponse(request, "admin/applications/panel/index.html", context)


# --- The builder -----------------------------------------------------------------------------------------------------


def builder(request, site, meeting_pk):
    """Compose the panel of one meeting."""
    require(request, "view_application")
    meeting = find_meeting(meeting_pk)
    if request.method == "POST":
        require(request, "compose")
        return _saved(request, site, meeting)
    return _page(request, site, meeting)


def known_as(request, application):
    """What whoever asks may call an application in a sentence: its name, or its reference."""
    masked = at_risk.is_masked_for(request, application)
    return application.reference if masked else at_risk.visible_name(request, application) or application.reference


def find_meeting(meeting_pk):
    return get_object_or_404(CountryMeeting.objects.with_state(), pk=meeting_pk, state_call__isnull=False)


def _saved(request, site, meeting):
    """Save what is on the page, with the move that was asked for; a refused one comes back with all that was typed."""
    applications = _applications(meeting)
    typed = _typed(request.POST)
    asked, _colon, reference = request.POST.get("act", "").partition(":")
    wanted = _after(asked, reference, typed, {one.reference: one for one in applications}, meeting)
    try:
        panel.save(meeting, whole_number(request.POST.get("version")), wanted, by=request.user, now=timezone.now())
    except ChangedMeanwhile as refusal:
        seen = _seen(request.POST.get("seen", ""))
        names = {one.reference: known_as(request, one) for one in applications}
        changes = list(panel.differences(seen, refusal.current, lambda one: names.get(one, one))) if seen else []
        conflict = {"words": str(refusal), "by": refusal.panel.changed_by, "at": refusal.panel.changed_at,
                    "changes": changes}  # fmt: skip
        return _page(request, site, meeting, wanted, conflict=conflict, status=409)
    except WrongStep as refusal:
        return _page(request, site, meeting, wanted, error=str(refusal), status=422)
    messages.success(request, _("The panel is saved. Nobody is told anything by that."))
    fragment = f"#row-{reference}" if reference in wanted.references else ""
    return redirect(reverse("admin:applications_panel", args=[meeting.pk]) + fragment)


def _after(asked, reference, typed, known, meeting):
    """What is to be saved: the lists as they stood on the page, and then one move."""
    if asked in ("up", "down"):
        return panel.moved(typed, reference, -1 if asked == "up" else 1)
    if asked in ("panel", "waiting", "off") and reference in known:
        minutes = panel.usual_minutes(meeting, typed)
        return panel.place(typed, known[reference], "" if asked == "off" else asked, minutes=minutes)
    if asked == "even":
        each = panel.even_minutes(
            len(typed.speakers), meeting, opening_minutes=typed.opening_minutes, floor_minutes=typed.floor_minutes
        )
        return replace(typed, speakers=tuple((one, each) for one, _minutes in typed.speakers))
    return typed


def _typed(data):
    """The Composition on the page, in its order."""
    places = [line.partition(" ")[::2] for line in data.getlist("seat")]
    return Composition(
        tuple((one, whole_number(data.get(f"minutes-{one}"))) for where, one in places if where == Place.PANEL),
        tuple(one for where, one in places if where == Place.WAITING),
        whole_number(data.get("opening_minutes")),
        whole_number(data.get("floor_minutes")),
        " ".join(data.get("moderator", "").split())[:150],
        data.get("note", "").strip().replace("\r\n", "\n")[:MOST_WORDS],
    )


def whole_number(text):
    """What was typed as a whole number; 0 for anything else, which the step refuses where it may not be."""
    return int(text) if (text or "").isdecimal() and len(text) < 5 else 0


def _seen(text):
    """The Composition that the page was made from, or None. It only words a refusal."""
    try:
        facts = json.loads(text)
        speakers = tuple((str(one), int(minutes)) for one, minutes in facts.pop("speakers"))
        return Composition(speakers, tuple(map(str, facts.pop("waiting"))), **facts)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _applications(meeting):
    return list(panel.placeable(meeting).prefetch_related("speakers", "themes"))


def _page(request, site, meeting, typed=None, *, conflict=None, error="", status=200):
    applications = _applications(meeting)
    row = panel.of(meeting)
    row.meeting = meeting
    rows = list(panel.seats(row))
    kept = panel.composed(row, rows)
    proposal = None
    if not row.version and typed is None:
        floor = rules.FLOOR_MINUTES if row.floor_wanted else 0
        proposal = panel.proposed(meeting, applications, floor_minutes=floor)
    shown = typed or proposal or kept
    lists = _lists(request, shown, applications)
    voices = [line.voice for line in lists[Place.PANEL]]
    everybody = [line.voice for lines in lists.values() for line in lines]
    questions = shown.questions(meeting.minutes)
    themes = {theme.slug: theme for lines in lists.values() for line in lines for theme in line.themes}
    newest = agenda.newest(meeting)
    context = {
        **site.each_context(request),
        "is_nav_sidebar_enabled": False,  # the lists need the room
        "opts": Application._meta,
        "title": _("Panel: %(state)s") % {"state": meeting.state.name},
        "meeting": meeting,
        "panel": row,
        "shown": shown,
        "seen": json.dumps(asdict(kept)),
        "is_proposal": bool(proposal and proposal.references),
        "speakers": lists[Place.PANEL],
        "waiting": lists[Place.WAITING],
        "others": lists[ELSEWHERE],
        "themes": sorted(themes.values(), key=lambda theme: (theme.position, theme.name_en)),
        "balance": balance(voices, everybody),
        "questions": questions,
        "speakers_minutes": sum(minutes for _one, minutes in shown.speakers),
        "bar": list(_bar(shown, questions)),
        "few_minutes": warns_of_time(questions),
        "floor_unheard": row.floor_wanted and shown.floor_minutes < rules.FLOOR_MINUTES,
        "least": rules.LEAST_MINUTES,
        "most": rules.MOST_MINUTES,
        "may_compose": request.user.has_perm("applications.compose") and meeting.status in CountryMeeting.AHEAD,
        "may_decide": request.user.has_perm("applications.decide"),
        "freed": _freed(meeting) and bool(lists[Place.WAITING]),
        "unprepared": _unprepared(lists),
        "agenda": newest,
        "agenda_differs": bool(newest and row.version and agenda.differs(newest, agenda.draft(meeting, kept))),
        "conflict": conflict,
        "error": error,
    }
    return TemplateResponse(request, "admin/applications/panel/builder.html", context, status=status)


def _lists(request, shown, applications):
    """{where: [Line, ...]}, each list in its order."""
    known = {one.reference: one for one in applications}
    minutes, usual = dict(shown.speakers), rules.LEAST_MINUTES
    orders = {
        Place.PANEL: [one for one, _minutes in shown.speakers],
        Place.WAITING: shown.waiting,
        ELSEWHERE: [one for one in known if one not in shown.references],
    }
    return {
        where: [_line(request, known[one], minutes.get(one, usual), where) for one in order if one in known]
        for where, order in orders.items()
    }


def _line(request, application, minutes, where):
    masked = at_risk.is_masked_for(request, application)
    voice = Voice.of(application, masked=masked)
    themes = [] if masked else list(application.themes.all())
    return Line(application, at_risk.visible_name(request, application), masked, voice, themes, minutes, str(where))


def _bar(shown, questions):
    """The hour as a strip: (what, minutes, where it begins)."""
    parts = [
        ("opening", shown.opening_minutes),
        ("floor", shown.floor_minutes),
        ("speakers", sum(minutes for _one, minutes in shown.speakers)),
        ("questions", max(questions, 0)),
    ]
    at = 0
    for what, minutes in parts:
        yield {"what": what, "minutes": minutes, "at": at}
        at += minutes


def _freed(meeting):
    """Whether a place has become free since somebody composed this panel last."""
    codes = ("panel_composed", "panel_promoted", "seat_freed")
    events = Event.objects.filter(room=meeting._meta.label_lower, reference=meeting.reference, refused=False)
    return events.filter(code__in=codes).order_by("-pk").values_list("code", flat=True).first() == "seat_freed"


def _unprepared(lists):
    """How many noted answers would change if they followed this panel."""
    return sum(
        panel.answer_for(line.application, where if where != ELSEWHERE else None) != line.application.prepared
        for where, lines in lists.items()
        for line in lines
        if line.application.status in panel.CAN_WAIT
    )


# --- Its steps -------------------------------------------------------------------------------------------------------


@require_POST
def promote(request, site, meeting_pk):
    """The first of the waiting list takes the place that has become free."""
    require(request, "view_application", "compose")
    meeting = find_meeting(meeting_pk)
    try:
        panel.promote(meeting, whole_number(request.POST.get("version")), by=request.user, now=timezone.now())
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Moved up. Nobody is told before you prepare and release the answers."))
    return redirect("admin:applications_panel", meeting.pk)


@require_POST
def prepare(request, site, meeting_pk):
    """Note on the applications what the saved panel says of them."""
    require(request, "view_application", "decide")
    meeting = find_meeting(meeting_pk)
    try:
        count = panel.prepare_answers(meeting, by=request.user, now=timezone.now())
    except WrongStep as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:applications_panel", meeting.pk)
    words = ngettext(
        "%(count)s answer is prepared as the panel says. Look at it, then release it.",
        "%(count)s answers are prepared as the panel says. Look at them, then release them.",
        count,
    )
    messages.success(request, words % {"count": count} if count else _("The answers were prepared like this already."))
    return redirect("admin:applications_decisions", meeting.pk)


PAGES = [
    ("panel/", index, "panels"),
    ("panel/<int:meeting_pk>/", builder, "panel"),
    ("panel/<int:meeting_pk>/promote/", promote, "panel_promote"),
    ("panel/<int:meeting_pk>/prepare/", prepare, "panel_prepare"),
]
