"""The pages on which a meeting is called off, moved, or given more time for its call; and a series closed.

Room: missions. They hang under SeriesAdmin's addresses. Whom it concerns, and what each would read, is shown first;
nothing is written, and nobody told, before the last button.
"""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from applications.mailings import extension
from applications.models import Application, StateCall
from missions import closing, meetings, not_told, notices, together
from missions.not_told import MEETINGS, PLACE
from missions.pages import page, require
from missions.setting_up_forms import MomentInput
from presessions.accounts.proof import proved
from presessions.trail.steps import WrongStep
from presessions.upr.dates import closes_after, last_day, last_minute_words
from presessions.upr.models import CountryMeeting, Series

NotHeld = CountryMeeting.NotHeld
DO, BACK = "do", "back"  # the buttons
MORE_DAYS = (3, 7, 14)
MOST_DAYS = 60
CHANGE_MEETING, EXTEND, CLOSE = "upr.change_countrymeeting", "applications.change_statecall", "applications.decide"


def _meeting(pk):
    in_a_series = CountryMeeting.objects.exclude(state_under_review__session__series=None)
    return get_object_or_404(in_a_series.with_state(), pk=pk)


def reason_field():
    return forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("For staff; kept in the history. Nobody outside reads it."),
    )


# --- Called off, moved ------------------------------------------------------------------------------------------------


class OffForm(forms.Form):
    why = forms.ChoiceField(
        label=gettext_lazy("It is not held because"),
        choices=[(why.value, why.label) for why in (NotHeld.POSTPONED, NotHeld.TOO_FEW, NotHeld.OTHER)],
        widget=forms.RadioSelect,
    )
    reason = reason_field()


class MoveForm(forms.Form):
    starts_at = forms.DateTimeField(
        label=gettext_lazy("New start"), widget=MomentInput, help_text=gettext_lazy("Geneva time.")
    )
    room = forms.CharField(label=gettext_lazy("Room"), max_length=100, required=False)
    online_link = forms.URLField(
        label=gettext_lazy("Link for taking part online"), max_length=500, assume_scheme="https", required=False
    )
    reason = reason_field()

    def __init__(self, data, *, meeting):
        initial = {name: getattr(meeting, name) for name in ("starts_at", "room", "online_link")}
        super().__init__(data, initial=initial, label_suffix="")

    def place(self):
        return {name: self.cleaned_data[name] for name in ("room", "online_link") if name in self.changed_data}


@require_http_methods(["GET", "POST"])
def off(request, site, pk):
    """Call a meeting off: for good, or until there is a new date."""
    require(request, CHANGE_MEETING)
    meeting = _meeting(pk)
    if not meeting.goes_ahead:
        return redirect("admin:upr_meeting_move", pk)
    form = OffForm(request.POST or None, label_suffix="")
    title = _("Call off the meeting on %(state)s") % {"state": meeting.state.name}
    return _step(
        request, site, meeting, form, title, button=_("Call the meeting off"), danger=True,
        look=lambda now: meetings.look_at_calling_off(meeting, form.cleaned_data["why"], by=request.user, now=now),
        act=lambda now: meetings.call_off(meeting, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def move(request, site, pk):
    """Give a meeting another date; one that was called off, a new one."""
    require(request, CHANGE_MEETING)
    meeting = _meeting(pk)
    form = MoveForm(request.POST or None, meeting=meeting)
    title = _("Move the meeting on %(state)s") if meeting.goes_ahead else _("A new date for the meeting on %(state)s")

    def facts():
        return {"starts_at": form.cleaned_data["starts_at"], **form.place()}

    return _step(
        request, site, meeting, form, title % {"state": meeting.state.name}, button=_("Move the meeting"),
        look=lambda now: meetings.look_at_moving(meeting, by=request.user, now=now, **facts()),
        act=lambda now: meetings.move(
            meeting, by=request.user, now=now, reason=form.cleaned_data["reason"], **facts()
        ),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def tell(request, site, pk):
    """After a change of the programme: who does not know yet how the meeting stands, and what each would read."""
    require(request, CHANGE_MEETING)
    meeting = _meeting(pk)
    how = {"only_place": bool(request.GET.get(PLACE))}
    return _telling(
        request, site, _("Tell how the meeting on %(state)s stands") % {"state": meeting.state.name}, meeting=meeting,
        back=reverse("admin:upr_countrymeeting_change", args=[pk]),
        look=lambda now: meetings.look_at_telling(meeting, now=now, **how),
        act=lambda now: meetings.tell(meeting, by=request.user, now=now, **how),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def tell_of_several(request, site, pk):
    """The same for several meetings of a series that were changed at once."""
    require(request, CHANGE_MEETING)
    series = get_object_or_404(Series.objects.select_related("session"), pk=pk)
    keys, how = _keys(request, MEETINGS), {"only_place": _keys(request, PLACE)}
    return _telling(
        request, site, _("Tell how meetings of %(series)s stand") % {"series": series}, series=series,
        back=reverse("admin:upr_series_change", args=[pk]),
        look=lambda now: meetings.look_at_telling_of_several(series, keys, now=now, **how),
        act=lambda now: meetings.tell_of_several(series, keys, by=request.user, now=now, **how),
    )  # fmt: skip


def _keys(request, name):
    return [int(key) for key in request.GET.get(name, "").split(",")[:100] if key.isdecimal() and len(key) < 10]


def _telling(request, site, title, *, look, act, back, **context):
    now = timezone.now()
    seen = look(now)
    if request.method == "POST" and request.POST.get(DO) == seen.mark:
        try:
            return _take(request, act, back)
        except WrongStep as refusal:
            messages.error(request, str(refusal))
            return redirect(request.get_full_path())
    context |= {"seen": seen, "button": _("Tell them") if seen.notices else "", "only_telling": True, "back": back}
    return page(request, site, "meeting_look", title, changed_meanwhile=request.method == "POST", **context)


def say_who_is_not_told(request, series, changed, now):
    """After a change of the programme, which tells nobody: a warning, with the page where they can be told.

    changed -- {a meeting's key: whether its hour is as it was}
    """
    found = [one for one in together.ahead(series, now) if one.pk in changed]
    place = [one.pk for one in found if changed[one.pk]]
    untold = together.not_told_yet(found, now=now, only_place=place) if found else []
    if not untold:
        return
    if len(found) == 1:
        [meeting] = found
        said = _("%(state)s: nobody has told %(whom)s.") % {"state": meeting.state.name, "whom": _all(untold)}
        url = reverse("admin:upr_meeting_tell", args=[meeting.pk]) + (f"?{PLACE}=1" if place else "")
    else:
        said = _("These meetings have changed, and nobody has told %(whom)s.") % {"whom": _all(untold)}
        url = not_told.address(series.pk, [one.pk for one in found], place)
    messages.warning(request, format_html('{} <a href="{}">{}</a>', said, url, _("Look, and tell them")))


def who_is_not_told(series, user, now):
    """(words, address) of the line that stands on the page of a series until missions are told of changes, or None."""
    one = user.has_perm(CHANGE_MEETING) and not series.closed_at and not_told.of_series([series], now).get(series.pk)
    if not one:
        return None
    states = ", ".join(meeting.state.name for meeting in one.meetings)
    whom = notices.MISSIONS % {"n": one.number}
    return _("Changed: %(states)s. Nobody has told %(whom)s.") % {"states": states, "whom": whom}, one.address


def _all(found):
    return ", ".join(map(str, found))


def _step(request, site, meeting, form, title, *, look, act, button, danger=False):
    """The form; then whom it concerns; then the step itself, once what was seen is still so."""
    context = {"meeting": meeting, "form": form, "button": button, "danger": danger}
    if request.method == "GET" or BACK in request.POST or not form.is_valid():
        return page(request, site, "meeting_step", title, **context)
    now = timezone.now()
    try:
        seen = look(now)
        if request.POST.get(DO) == seen.mark:
            back = reverse("admin:upr_countrymeeting_change", args=[meeting.pk])
            return (_take if seen.notices else _do)(request, act, back)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
        return page(request, site, "meeting_step", title, **context)
    typed = [(name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", DO)]
    context |= {"seen": seen, "typed": typed, "changed_meanwhile": bool(request.POST.get(DO))}
    return page(request, site, "meeting_look", title, **context)


@proved
def _take(request, act, back):
    return _do(request, act, back)


def _do(request, act, back):
    told = act(timezone.now())
    words = _("Done. Told at once: %(whom)s.") if told else _("Done. There was nobody to tell.")
    messages.success(request, words % {"whom": _all(told)})
    return redirect(back)


# --- More time for one State ------------------------------------------------------------------------------------------


class ExtendForm(forms.Form):
    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS)
    reason = forms.CharField(max_length=300, required=False)


@require_http_methods(["GET", "POST"])
def extend(request, site, pk):
    """More days for one State, in one click; whom to tell of it is proposed, and staff decide."""
    require(request, EXTEND)
    now = timezone.now()
    state_call = get_object_or_404(StateCall.objects.with_state(), meeting=pk)
    if request.method == "POST":
        return _extend(request, state_call, now)
    applications = Application.objects.sent().live().filter(state_call=state_call).count()
    choices = [(days, last_minute_words(closes_in(state_call, days, now))) for days in MORE_DAYS]
    title = _("More time for %(state)s") % {"state": state_call.state.name}
    context = {"state_call": state_call, "meeting": state_call.meeting, "applications": applications}
    return page(request, site, "meeting_extend", title, choices=choices, most=MOST_DAYS, **context)


def closes_in(state_call, days, now):
    """The deadline so many days after the one in force; after today, where that is past or unknown."""
    today = timezone.localdate(now)
    day = last_day(state_call.deadline) if state_call.deadline else today
    return closes_after(max(day, today) + timedelta(days=days))


def _extend(request, state_call, now):
    form = ExtendForm(request.POST)
    back = redirect("admin:upr_meeting_extend", state_call.meeting_id)
    if not form.is_valid():
        words = _("Choose between 1 and %(most)s days.") % {"most": MOST_DAYS}
        messages.error(request, words)
        return back
    if not state_call.meeting.goes_ahead:
        messages.error(request, _("This meeting will not be held."))
        return back
    reason = form.cleaned_data["reason"] or _("Few applications so far")
    closes_at = closes_in(state_call, form.cleaned_data["days"], now)
    state_call.extend(closes_at, now=now, by=request.user, reason=reason)
    words = _("%(state)s can be applied for until %(deadline)s.")
    messages.success(request, words % {"state": state_call.state.name, "deadline": last_minute_words(closes_at)})
    rows = [(reverse("admin:mail_mailing_change", args=[one.pk]), one.label) for one in extension.waiting(state_call)]
    if rows:
        links = format_html_join(", ", '<a href="{}">{}</a>', rows)
        messages.info(request, format_html(_("Waits for your decision: {}"), links))
    return redirect("admin:upr_series_change", state_call.series.pk)


# --- Closing ----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def close(request, site, pk):
    """What is left to do, and, when nothing is, the button."""
    require(request, CLOSE)
    series = get_object_or_404(Series.objects.select_related("session"), pk=pk)
    now = timezone.now()
    if request.method == "POST":
        try:
            closing.close(series, by=request.user, now=now, reason=request.POST.get("reason", "")[:300])
        except WrongStep as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:upr_series_close", pk)
        messages.success(request, _("%(series)s are closed.") % {"series": series})
        return redirect("admin:upr_series_change", pk)
    held = series.meetings().filter(status=CountryMeeting.Status.HELD).count()
    not_held = series.meetings().filter(status=CountryMeeting.Status.NOT_HELD).count()
    facts = [
        ngettext("%(n)s meeting was held.", "%(n)s meetings were held.", held) % {"n": held},
        ngettext("%(n)s meeting was not held.", "%(n)s meetings were not held.", not_held) % {"n": not_held},
    ]
    left = [] if series.closed_at else closing.left_to_do(series, now)
    stop = [] if series.closed_at or left else closing.look(series, by=request.user, now=now)
    title = _("Close %(series)s") % {"series": series}
    return page(request, site, "close", title, series=series, left=left, facts=facts, consequences=stop)


@require_POST
def reopen(request, site, pk):
    require(request, CLOSE)
    series = get_object_or_404(Series.objects.select_related("session"), pk=pk)
    try:
        closing.reopen(series, by=request.user, now=timezone.now(), reason=request.POST.get("reason", "")[:300])
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(series)s are open again.") % {"series": series})
    return redirect("admin:upr_series_close", pk)


PAGES = (
    ("meetings/<int:pk>/off/", off, "meeting_off"),
    ("meetings/<int:pk>/move/", move, "meeting_move"),
    ("meetings/<int:pk>/tell/", tell, "meeting_tell"),
    ("<int:pk>/tell/", tell_of_several, "series_tell"),
    ("meetings/<int:pk>/extend/", extend, "meeting_extend"),
    ("<int:pk>/close/", close, "series_close"),
    ("<int:pk>/reopen/", reopen, "series_reopen"),
)
