"""The door list on a phone and on paper, and what is set right afterwards. Room: missions.

They hang under DoorNoteAdmin's addresses. The list is one form, whose every button says what is noted by it, so that it
works without scripts; with them `static/desk/at_the_door.js` keeps each note on the device until this house has it.
"""

import json
from datetime import UTC, datetime, timedelta
from math import nan
from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from applications.models import Application
from missions import door, door_list
from missions.models import DoorNote
from missions.pages import require
from presessions import trail
from presessions.trail import history
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting, Series

NOTE = "missions.note_at_door"
MOST_NOTES = 200  # in one request of a phone that had no line
MOST_SHOWN = 400  # notes of one meeting in its history
BY_HAND = UUID("6d9f4c1e-52d1-4b47-9a3e-0f1f7f0c5a54")  # a name for keys of notes taken without a script
KEEP = "X-Door-List"  # says to the worker that this page may be kept on the device


def _meeting(pk):
    in_a_series = CountryMeeting.objects.exclude(state_under_review__session__series=None)
    return get_object_or_404(in_a_series.with_state(), pk=pk)


def _render(request, site, template, title, **context):
    context = {**site.each_context(request), "opts": DoorNote._meta, "title": title, **context}
    return TemplateResponse(request, f"admin/missions/door/{template}.html", context)


# --- Which meeting ----------------------------------------------------------------------------------------------------


@require_GET
def index(request, site):
    """The meetings of the series that is nearest, today's first."""
    require(request, NOTE)
    now = timezone.now()
    every = Series.objects.select_related("session").order_by("-session__number")
    chosen = _chosen(request, every, now)
    meetings = list(chosen.meetings().with_state()) if chosen else []
    totals = door_list.totals([meeting.pk for meeting in meetings])
    today = timezone.localdate(now)
    lines = [
        {"meeting": one, "came": totals.get(one.pk), "is_today": one.goes_ahead and _day(one) == today}
        for one in meetings
    ]
    context = {
        "all_series": every,
        "chosen": chosen,
        "today": [line for line in lines if line["is_today"]],
        "others": [line for line in lines if not line["is_today"]],
        "addresses": _kept_addresses([line["meeting"] for line in lines if line["is_today"]]),
    }
    response = _render(request, site, "index", _("Door lists"), **context)
    response[KEEP] = "keep"
    return response


def _day(meeting):
    return meeting.starts_at and timezone.localdate(meeting.starts_at)


def _chosen(request, every, now):
    key = request.GET.get("series", "")
    if key.isdecimal() and len(key) < 10:
        return every.filter(pk=key).first()
    ahead = CountryMeeting.objects.going_ahead().filter(starts_at__gte=now - timedelta(days=1))
    nearest = ahead.exclude(state_under_review__session__series=None).order_by("starts_at").with_state().first()
    return nearest.series if nearest else every.first()


def _kept_addresses(meetings):
    """What a phone keeps, so that it opens without a line: this list, and each meeting of the day."""
    return [reverse("admin:missions_doors"), *(reverse("admin:missions_door", args=[one.pk]) for one in meetings)]


# --- The list ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def meeting(request, site, meeting_pk):
    """Everybody who may come, and what was asked."""
    require(request, NOTE)
    row = _meeting(meeting_pk)
    if request.method == "POST":
        return _noted_by_hand(request, row)
    now = timezone.now()
    context = {
        "meeting": row,
        "door": door_list.of(row),
        "panel": door_list.panel_of(row),
        "asked": door_list.asked_at(row),
        "why_not": door.why_not(row, now),
        "nonce": uuid4(),
        "now": _in_milliseconds(now),
        "most_people": door.MOST_PEOPLE,
        "most_words": door.MOST_WORDS,
        "addresses": _kept_addresses([row]),
    }
    response = _render(request, site, "meeting", _("Door list: %(state)s") % {"state": row.state.name}, **context)
    response[KEEP] = "keep"
    return response


def _in_milliseconds(instant):
    return int(instant.timestamp() * 1000)


def _noted_by_hand(request, row):
    """Without a script: one button, one note. Pressed twice, or sent again by the browser, it stays one."""
    now, posted, place = timezone.now(), request.POST, ""
    said = [posted.get(name, "") for name in ("nonce", "note", "taken_back", "mission", "to", "words")]
    key = uuid5(BY_HAND, json.dumps(said))
    if "taken_back" in posted:
        note, place = {"what": "taken_back", "question": posted["taken_back"]}, "#asked"
    elif "note" in posted:
        mission, people, spoke = [*posted["note"].split(), "", "", ""][:3]
        note = {"what": "came", "mission": mission, "people": people, "spoke": spoke == "1"}
        place = f"#m-{mission}" if mission.isdecimal() else ""
    else:
        note = {name: posted.get(name, "") for name in ("mission", "to", "words")} | {"what": "asked"}
        place = "#asked"
    note |= {"key": str(key), "meeting": row.pk, "at": _in_milliseconds(now)}
    read, refused = _read([note])
    refused |= {str(one): words for one, words in door.keep(read, by=request.user, now=now).refused.items()}
    for words in refused.values():
        messages.error(request, words)
    return redirect(reverse("admin:missions_door", args=[row.pk]) + place)


# --- What a phone sends -----------------------------------------------------------------------------------------------


@require_POST
def notes(request, site):
    """Take notes of one device, of one meeting or several, in their order; say of each whether it is kept."""
    require(request, NOTE)
    try:
        posted = json.loads(request.body, parse_int=_number)
        sent, user = posted["notes"], posted["user"]
    except (ValueError, KeyError, TypeError, RecursionError):
        sent = user = None
    if sent is not None and str(user) != str(request.user.pk):  # a page that the device had kept for somebody else
        return JsonResponse({"problem": _("These notes are somebody else’s.")}, status=409)
    if not isinstance(sent, list) or len(sent) > MOST_NOTES or not all(isinstance(note, dict) for note in sent):
        return JsonResponse({"problem": _("This cannot be read.")}, status=400)
    now = timezone.now()
    read, refused = _read(sent)
    kept = door.keep(read, by=request.user, now=now)
    refused |= {str(key): words for key, words in kept.refused.items()}
    return _as_json({"kept": [str(key) for key in kept.keys], "refused": refused, "now": _in_milliseconds(now)})


@require_GET
def state(request, site, meeting_pk):
    """How things stand, with what other phones have noted."""
    require(request, NOTE)
    row = _meeting(meeting_pk)
    asked = [{**one, "at": _in_milliseconds(one["at"])} for one in door_list.asked_at(row)]
    now = _in_milliseconds(timezone.now())
    return _as_json({"came": door_list.as_noted(row), "asked": asked, "now": now})


def _as_json(facts):
    response = JsonResponse(facts)
    response["Cache-Control"] = "private, no-store"
    return response


def _read(sent):
    """([a note of `door`, ...], {key: why it cannot be read})."""
    found, refused, versions = [], {}, {}
    for one in sent:
        try:
            found.append(_note(one, versions))
        except (KeyError, ValueError, TypeError, OverflowError, AttributeError, OSError):
            key = one.get("key")
            refused[key[:64] if isinstance(key, str) else ""] = _("This note cannot be read. Please note it again.")
    references = {one.to for one in found if isinstance(one, door.Asked) and one.to}
    known = {one.reference: one for one in Application.objects.filter(reference__in=references)} if references else {}
    return [_with_application(one, known) for one in found], refused


def _note(one, versions):
    facts = {
        "key": UUID(one["key"]),
        "meeting": _whole(one["meeting"]),
        "noted_at": datetime.fromtimestamp(int(one["at"]) / 1000, UTC),
    }
    if one["what"] == "came":
        people, spoke = _whole(one["people"]), one.get("spoke") is True
        return door.Came(mission=_whole(one["mission"]), people=people, spoke=spoke, **facts)
    if one["what"] == "taken_back":
        return door.TakenBack(question=UUID(one["question"]), **facts)
    if one["what"] != "asked":
        raise ValueError
    words = _words(one.get("words"))
    mission = _whole(one["mission"]) if one.get("mission") else None
    reference = _reference(facts["meeting"], str(one.get("to") or ""), versions)
    return door.Asked(mission=mission, to=reference or None, words=words, **facts)


def _number(digits):
    """Of JSON. One that is too long to be read is no number: it spoils its own note, not all that came with it."""
    return int(digits) if len(digits) < 20 else nan


def _words(value):
    """What can be kept of what was typed: a phone may cut a sign in two, and no column holds NUL."""
    if not isinstance(value, str | None):
        raise TypeError
    whole = (value or "").encode("utf-8", "replace").decode().replace("\0", "")
    return " ".join(whole.split())


def _whole(value):
    number = int(value)
    if not 0 <= number < 2**31:
        raise ValueError
    return number


def _reference(meeting_pk, code, versions):
    """Of the application behind a place on the agenda. versions -- {meeting's key: {number: content}}"""
    if not code:
        return ""
    row = CountryMeeting(pk=meeting_pk)
    return door_list.speaker_of(row, code, versions.setdefault(meeting_pk, {}))


def _with_application(note, known):
    if isinstance(note, door.Asked) and note.to:
        return door.Asked(**{**vars(note), "to": known.get(note.to)})
    return note


@require_GET
def worker(request, site):
    """The script that opens the door list without a line. It may rule only what lies beside it, so it stands here."""
    require(request, NOTE)
    return TemplateResponse(request, "admin/missions/door/worker.js", content_type="text/javascript")


# --- On paper ---------------------------------------------------------------------------------------------------------


@require_GET
def paper(request, site, meeting_pk):
    """The list with a box to tick for each mission, to print."""
    require(request, NOTE)
    row = _meeting(meeting_pk)
    title = _("Door list: %(state)s") % {"state": row.state.name}
    return _render(request, site, "paper", title, meeting=row, door=door_list.of(row))


@require_GET
def paper_file(request, site, meeting_pk):
    """The same as a PDF."""
    require(request, NOTE)
    row = _meeting(meeting_pk)
    from missions import door_pdf  # with ReportLab; a process that never makes a file never loads it

    trail.record(row, "door_list_downloaded", now=timezone.now(), by=request.user)
    response = HttpResponse(door_pdf.made(row, door_list.of(row)), content_type="application/pdf")
    name = f"door-{row.series.number}-{row.state.pk}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


# --- Afterwards -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def correct(request, site, meeting_pk):
    """What was noted, to look through and to set right; who noted what and when."""
    require(request, NOTE)
    row = _meeting(meeting_pk)
    if request.method == "POST":
        return _corrected(request, row)
    found = door_list.of(row)
    earlier = DoorNote.objects.filter(meeting=row).select_related("mission__state", "by").order_by("-noted_at", "-pk")
    context = {
        "meeting": row,
        "door": found,
        "absent": [line for line in found.lines if not line.people],
        "asked": door_list.asked_at(row),
        "why_not": door.why_not(row, timezone.now()),
        "most_people": door.MOST_PEOPLE,
        "earlier": earlier[:MOST_SHOWN],
        "history": history.of(row, request),
    }
    return _render(request, site, "correct", _("Who came: %(state)s") % {"state": row.state.name}, **context)


def _corrected(request, row):
    now, posted = timezone.now(), request.POST
    try:
        changed = door.correct(row, _typed(posted), reason=posted.get("reason", "")[:300], by=request.user, now=now)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    except ValueError:
        messages.error(request, _("Say how many people came as a whole number: 0 to %(most)s.")
                       % {"most": door.MOST_PEOPLE})  # fmt: skip
    else:
        words = ngettext("%(n)s mission is set right.", "%(n)s missions are set right.", changed) % {"n": changed}
        messages.success(request, words if changed else _("Nothing was different from what is noted."))
    return redirect("admin:missions_door_correct", row.pk)


def _typed(posted):
    """{key of a mission: (people, took the floor)} of those lines only in which something was changed, so that what a
    phone has noted meanwhile about the others stands. Raises ValueError."""
    counts = {}
    for name in posted:
        start, _dash, key = name.partition("-")
        if start != "was":
            continue
        now = (_whole(posted.get(f"people-{key}") or 0), f"spoke-{key}" in posted)
        if posted[name] != f"{now[0]} {int(now[1])}":
            counts[_key(key)] = now
    if posted.get("more"):
        counts[_key(posted["more"])] = (_whole(posted.get("more_people") or 1), "more_spoke" in posted)
    return counts


def _key(text):
    """The key of a mission, as the page sends it; 0, which is nobody's, where it is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


PAGES = (
    ("door/", index, "doors"),
    ("door/notes/", notes, "door_notes"),
    ("door/worker.js", worker, "door_worker"),
    ("door/<int:meeting_pk>/", meeting, "door"),
    ("door/<int:meeting_pk>/state/", state, "door_state"),
    ("door/<int:meeting_pk>/paper/", paper, "door_paper"),
    ("door/<int:meeting_pk>/paper/file/", paper_file, "door_paper_file"),
    ("door/<int:meeting_pk>/correct/", correct, "door_correct"),
)
