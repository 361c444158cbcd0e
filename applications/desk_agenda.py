"""The agenda of one meeting on the staff's desk, and what is taken into the room: the moderator's sheet and the screen
with the speaking time. Room: applications.

The agenda as a file and the screen name nobody whom the public page does not name. The sheet names everybody but people
at risk: each opening stands in the history, and as a file it asks for a fresh proof.
"""

from dataclasses import dataclass
from itertools import zip_longest

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from applications import added, agenda, at_risk, panel, public_agenda
from applications.desk import require
from applications.desk_panel import find_meeting, known_as, whole_number
from applications.models import Agenda, Application, Consent, Speaker
from presessions import trail
from presessions.accounts.proof import proved
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

MAY_NOT = {
    Consent.Item.NAME: gettext_lazy("do not publish the name"),
    Consent.Item.ORGANISATION: gettext_lazy("do not publish the organisation"),
    Consent.Item.PHOTO: gettext_lazy("no photographs"),
    Consent.Item.RECORDING: gettext_lazy("no recording"),
}


# --- The agenda ------------------------------------------------------------------------------------------------------


@require_GET
def agenda_page(request, site, meeting_pk):
    """The draft that the panel makes, and every version that was published with what it changed."""
    require(request, "view_application")
    meeting = find_meeting(meeting_pk)
    row = panel.of(meeting)
    row.meeting = meeting
    composition = panel.composed(row)
    draft = agenda.draft(meeting, composition)
    versions = list(Agenda.objects.select_related("published_by").filter(meeting=meeting).order_by("-number"))
    newest = versions[0] if versions else None
    names = _names(request, draft, *(version.content for version in versions))
    touched = agenda.touched(newest and newest.content, draft)
    context = {
        **_context(request, site, meeting, _("Agenda: %(state)s") % {"state": meeting.state.name}),
        "panel": row,
        "draft": [{"shown": shown, "name": names.get(shown.line.reference, "")}
                  for shown in public_agenda.shown(meeting, draft)] if composition.speakers else [],
        "newest": newest,
        "differs": newest is None or agenda.differs(newest, draft),
        "changes": list(agenda.differences(newest.content, draft, names.get)) if newest else [],
        "touched": len(touched),
        "why_not": agenda.why_not_ready(meeting, composition),
        "may_publish": request.user.has_perm("applications.compose") and meeting.status in CountryMeeting.AHEAD,
        "versions": [
            {"agenda": version, "changes": agenda.differences(before.content, version.content, names.get)
             if before else []}
            for version, before in zip_longest(versions, versions[1:])
        ],
    }  # fmt: skip
    return TemplateResponse(request, "admin/applications/panel/agenda.html", context)


def _context(request, site, meeting, title):
    return {
        **site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "opts": Application._meta,
        "title": title,
        "meeting": meeting,
    }


def _names(request, *contents):
    """{reference: what this reader may call it}, of all that stand in some agendas."""
    references = {part["reference"] for content in contents for part in content["items"] if "reference" in part}
    found = Application.objects.filter(reference__in=references).only("reference", "name", "name_latin", "at_risk")
    names = {one.reference: known_as(request, one) for one in found}
    return {**dict(zip(references, references, strict=True)), **names}


@require_POST
def publish(request, site, meeting_pk):
    """Publish the panel that was looked at as the next version."""
    require(request, "view_application", "compose")
    meeting = find_meeting(meeting_pk)
    seen = whole_number(request.POST.get("version"))
    try:
        published, told = agenda.publish(meeting, by=request.user, now=timezone.now(), seen_version=seen)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        words = ngettext(
            "Version %(number)s is published. %(count)s speaker is written to.",
            "Version %(number)s is published. %(count)s speakers are written to.",
            told,
        )
        messages.success(request, words % {"number": published.number, "count": told})
    return redirect("admin:applications_agenda", meeting.pk)


@require_GET
def agenda_file(request, site, meeting_pk):
    """The published agenda as a PDF, with no other name than the public page has."""
    require(request, "view_application")
    meeting = find_meeting(meeting_pk)
    newest = agenda.newest(meeting)
    if newest is None:
        raise Http404
    from applications import agenda_pdf  # with ReportLab; a process that never makes a file never loads it

    now = timezone.now()
    trail.record(meeting, "agenda_downloaded", now=now, by=request.user)
    return _pdf(agenda_pdf.agenda(meeting, newest, public_agenda.shown(meeting, newest.content)), meeting, "agenda")


def _pdf(content, meeting, name):
    response = HttpResponse(content, content_type="application/pdf")
    name = f"{name}-{meeting.series.number}-{meeting.state.pk}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


# --- The moderator's sheet -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One part of the hour as the moderator needs it. Of people at risk only the kind of institution is there."""

    line: agenda.Line
    title: str
    kind: str = ""
    person: str = ""
    position: str = ""
    is_remote: bool = False
    themes: str = ""
    forbidden: tuple[str, ...] = ()  # what this speaker has not agreed to, in words
    masked: bool = False


@require_GET
def sheet(request, site, meeting_pk):
    """Who speaks when, for how long, and what may be said and shown of them: to print."""
    require(request, "view_application", "compose")
    meeting = find_meeting(meeting_pk)
    row, parts = _sheet(request, meeting, code="sheet_opened")
    context = {
        **_context(request, site, meeting, _("Moderator’s sheet: %(state)s") % {"state": meeting.state.name}),
        "panel": row,
        "parts": parts,
        "sections": added.of_sheet(meeting),
    }
    response = TemplateResponse(request, "admin/applications/panel/sheet.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@proved
def sheet_file(request, site, meeting_pk):
    """The same as a PDF: it names people and leaves the house."""
    require(request, "view_application", "compose", "export")
    meeting = find_meeting(meeting_pk)
    from applications import agenda_pdf  # as above

    row, parts = _sheet(request, meeting, code="sheet_downloaded")
    return _pdf(agenda_pdf.sheet(meeting, row.note, parts, added.of_sheet(meeting)), meeting, "moderator")


def _sheet(request, meeting, *, code):
    """(Panel, [Part, ...]) of the panel as it is saved; that somebody has read it is noted."""
    now = timezone.now()
    row = panel.of(meeting)
    row.meeting = meeting
    content = agenda.draft(meeting, panel.composed(row))
    references = [part["reference"] for part in content["items"] if "reference" in part]
    found = Application.objects.filter(reference__in=references)
    found = {one.reference: one for one in found.prefetch_related("speakers", "consents", "attachments", "themes")}
    trail.record(meeting, code, now=now, by=request.user)
    for application in found.values():
        at_risk.note_opening(request, application, now=now)
    return row, [_part(request, line, found.get(line.reference)) for line in agenda.lines(content, meeting.starts_at)]


def _part(request, line, application):
    if application is None:
        return Part(line, public_agenda.PARTS[line.what]())
    name = at_risk.visible_name(request, application) or application.reference
    if at_risk.is_masked_for(request, application):
        title = f"{public_agenda.generic(application)} ({application.reference})"
        return Part(line, title, forbidden=tuple(map(str, MAY_NOT.values())), masked=True)
    speaker, agreed = application.speaker, application.cleared_items()
    return Part(
        line,
        name,
        kind=str(application.short_kind),
        person=speaker.full_name if speaker else "",
        position=speaker.position if speaker else "",
        is_remote=bool(speaker and speaker.attends == Speaker.Attends.REMOTE),
        themes=", ".join(theme.name for theme in application.themes.all()),
        forbidden=tuple(str(words) for item, words in MAY_NOT.items() if item not in agreed),
    )


# --- The screen ------------------------------------------------------------------------------------------------------


@require_GET
def screen(request, site, meeting_pk):
    """The speaking time, for everybody in the room to see. All it needs comes with the page, so that it goes on when
    the line breaks; and as the State sits in the room, it names only those whom the public page names."""
    require(request, "view_application")
    meeting = find_meeting(meeting_pk)
    row = panel.of(meeting)
    row.meeting = meeting
    parts = public_agenda.shown(meeting, agenda.draft(meeting, panel.composed(row)))
    context = {
        **_context(request, site, meeting, _("Speaking time: %(state)s") % {"state": meeting.state.name}),
        "parts": parts,
    }
    return TemplateResponse(request, "admin/applications/panel/screen.html", context)


PAGES = [
    ("panel/<int:meeting_pk>/agenda/", agenda_page, "agenda"),
    ("panel/<int:meeting_pk>/agenda/publish/", publish, "agenda_publish"),
    ("panel/<int:meeting_pk>/agenda/file/", agenda_file, "agenda_file"),
    ("panel/<int:meeting_pk>/sheet/", sheet, "sheet"),
    ("panel/<int:meeting_pk>/sheet/file/", sheet_file, "sheet_file"),
    ("panel/<int:meeting_pk>/screen/", screen, "screen"),
]
