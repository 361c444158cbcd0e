"""The pages on what became of a panel's recommendations: entered, compared with what was proposed, published, told.
Room: applications; part of `desk`."""

from functools import partial

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from applications import afterwards, at_risk, fates, importing
from applications.desk import of_series, require
from applications.desk_panel import find_meeting
from applications.exporting import FORMATS, as_file
from applications.importing import ListForm
from applications.likeness import Likeness
from applications.models import Application, MadeRecommendation, Recommendation, ReviewOutcome, TakenUp
from applications.recommendation_import import MOST, Names, carry_out, plan
from presessions import exports, trail
from presessions.accounts.proof import proved
from presessions.mail import outbox
from presessions.mail.letters import Unwritable
from presessions.trail import history
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

LOOK, KEEP = ("view_application", "view_maderecommendation"), ("view_application", "change_maderecommendation")


def _context(request, site, title, meeting=None):
    return {**site.each_context(request), "opts": Application._meta, "title": title, "meeting": meeting}


@require_GET
def index(request, site):
    """Each meeting, and how far what was proposed there has come."""
    require(request, *LOOK)
    chosen = of_series(request, CountryMeeting.objects.exclude(state_call=None).with_state().select_related("outcome"))
    meetings = list(
        chosen["meetings"].order_by("-state_under_review__session__number", "state_under_review__state__sort_key")
    )
    fate = fates.of_meetings(meetings)
    context = {
        **_context(request, site, _("Recommendations")),
        **chosen,
        "rows": [(meeting, fate[meeting.pk], getattr(meeting, "outcome", None)) for meeting in meetings],
    }
    return TemplateResponse(request, "admin/applications/recommendations/index.html", context)


# --- One State -------------------------------------------------------------------------------------------------------


@never_cache
@require_GET
def page(request, site, meeting_pk):
    """What was proposed beside what was made; who is at risk stays masked."""
    require(request, *LOOK)
    meeting, now = find_meeting(meeting_pk), timezone.now()
    made = afterwards.made_for(meeting)
    likeness, shown = Likeness(made), []
    for application, rows in afterwards.proposals(meeting):
        masked = at_risk.is_masked_for(request, application)
        at_risk.note_opening(request, application, now=now)
        themes = {theme.pk for theme in application.themes.all()}
        proposals = [] if masked else [(row, likeness.suggest(row.text, themes, _joined(row))) for row in rows]
        name = at_risk.visible_name(request, application)
        shown.append({"application": application, "name": name, "masked": masked, "proposals": proposals})
    outcome, telling = afterwards.outcome_of(meeting), afterwards.telling(meeting)
    context = {
        **_context(request, site, _("Recommendations: %(state)s") % {"state": meeting.state.name}, meeting),
        "made": made,
        "speakers": shown,
        "outcome": outcome,
        "is_published": bool(outcome and outcome.published_at),
        "telling": telling,
        "text": _preview(telling),
        "fate": fates.of_meetings([meeting])[meeting.pk],
        "may_keep": request.user.has_perms([f"applications.{right}" for right in KEEP]),
        "formats": FORMATS.items() if request.user.has_perm("applications.export") else (),
        "history": history.of(meeting, request),
    }
    return TemplateResponse(request, "admin/applications/recommendations/page.html", context)


def _joined(row):
    return {link.made_id for link in row.taken_up.all()}


def _preview(telling):
    """The letter as it would leave now, in the language of the first who would get it; None where nobody would."""
    if not telling.waiting:
        return None
    try:
        return outbox.preview(afterwards.LETTER, afterwards.recipient(telling.waiting[0]))
    except Unwritable:
        return None


def _back(meeting):
    return redirect("admin:applications_recommendations", meeting.pk)


@require_POST
def join(request, site, meeting_pk):
    """Say that one that was made takes up one that was proposed, by its number; or take that back."""
    require(request, *KEEP, "add_takenup")
    meeting, now, by = find_meeting(meeting_pk), timezone.now(), request.user
    try:
        if "apart" in request.POST:
            afterwards.not_taken_up(meeting, _whole(request.POST["apart"]), by=by, now=now)
            messages.success(request, _("They are not joined any more."))
            return _back(meeting)
        spoke = Recommendation.objects.filter(application__in=afterwards.speakers(meeting))
        proposed = get_object_or_404(spoke.select_related("application"), pk=_whole(request.POST.get("proposed")))
        at_risk.refuse_masked(request, proposed.application)
        number = request.POST.get("number", "").strip(" .")[:20]
        made = MadeRecommendation.objects.filter(state_under_review=meeting.state_under_review_id, number=number)
        if not made.exists():
            raise WrongStep(_("There is no recommendation with the number “%(number)s” here.") % {"number": number})
        extent = request.POST.get("extent")
        extent = extent if extent in TakenUp.Extent else TakenUp.Extent.PART
        afterwards.take_up(meeting, proposed, made.get(), extent, by=by, now=now)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Joined with %(number)s.") % {"number": number})
    return redirect(f"{_back(meeting).url}#p-{_whole(request.POST.get('proposed'))}")


def _whole(text):
    return int(text) if str(text).isdecimal() and len(str(text)) < 18 else 0


# --- One recommendation ----------------------------------------------------------------------------------------------


class MadeForm(forms.ModelForm):
    """One recommendation, as it stands in the report."""

    made_by = forms.CharField(
        label=gettext_lazy("Made by"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text=gettext_lazy("One or more States, by name or code, with “;” between them."),
    )

    class Meta:
        model = MadeRecommendation
        fields = ("number", "text", "made_by", "theme", "response", "responded_on")
        widgets = {
            "number": forms.TextInput(attrs={"class": "vTextField", "dir": "ltr"}),
            "text": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "dir": "auto"}),
            "responded_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args, meeting, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.meeting = meeting
        self.fields["responded_on"].label = _("Answered on")
        if self.instance.pk:
            self.initial["made_by"] = "; ".join(state.name for state in self.instance.made_by.all())

    def clean_number(self):
        return self.cleaned_data["number"].strip(" .")

    def clean_made_by(self):
        found, unknown = Names().read(self.cleaned_data["made_by"])
        if unknown:
            words = _("We know no State “%(names)s”. Write its UN name, or its code, like KE; “;” between several.")
            raise forms.ValidationError(words % {"names": ", ".join(unknown)})
        if refusal := afterwards.to_itself(self.meeting, found):
            raise forms.ValidationError(refusal)
        return found

    def clean(self):
        facts = super().clean()
        pending = facts.get("response") == MadeRecommendation.Response.PENDING
        if pending and facts.get("responded_on"):
            self.add_error("response", _("Choose the answer that was given on that day, or empty the day."))
        return facts

    def _post_clean(self):
        """Nothing is written into the row by the form: a step does that, and says where it cannot."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one(request, site, meeting_pk, pk=None):
    """Enter one, change it, or take it out of the list."""
    require(request, *KEEP, *(() if pk else ("add_maderecommendation",)))
    meeting, now, by = find_meeting(meeting_pk), timezone.now(), request.user
    rows = MadeRecommendation.objects.filter(state_under_review=meeting.state_under_review_id)
    row = get_object_or_404(rows.prefetch_related("made_by"), pk=pk) if pk else None
    form, status = MadeForm(request.POST or None, instance=row, meeting=meeting), 200
    try:
        if request.method == "POST" and "remove" in request.POST and row:
            require(request, "delete_maderecommendation")
            afterwards.remove(meeting, pk, by=by, now=now)
            messages.success(request, _("%(number)s is taken out of the list.") % {"number": row.number})
            return _back(meeting)
        if form.is_valid():
            if row:
                afterwards.change(meeting, pk, form.cleaned_data, seen=request.POST.get("seen", ""), by=by, now=now)
            else:
                afterwards.enter(meeting, form.cleaned_data, by=by, now=now)
            messages.success(request, _("%(number)s is saved.") % {"number": form.cleaned_data["number"]})
            again = "another" in request.POST
            return redirect("admin:applications_recommendation_add", meeting.pk) if again else _back(meeting)
        status = 422 if form.errors else 200
    except WrongStep as refusal:
        form.add_error(None, str(refusal))
        status = 409
    title = _("Recommendation %(number)s") % {"number": row.number} if row else _("Enter a recommendation")
    context = {
        **_context(request, site, title, meeting),
        "form": form,
        "row": row,
        "seen": row and afterwards.mark(row),
        "may_remove": row and request.user.has_perm("applications.delete_maderecommendation"),
    }
    return TemplateResponse(request, "admin/applications/recommendations/one.html", context, status=status)


# --- Many from a list ------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request, site, meeting_pk):
    """A list is shown line by line before anything is written; what is written is what was shown."""
    require(request, *KEEP, "add_maderecommendation")
    meeting = find_meeting(meeting_pk)
    form = ListForm(request.POST or None, request.FILES or None)
    written, shown, status = importing.answer(
        request, form, plan=partial(plan, meeting), carry_out=partial(carry_out, meeting)
    )
    if written is not None:
        return _imported(request, meeting, written)
    title = _("Import recommendations: %(state)s") % {"state": meeting.state.name}
    context = {**_context(request, site, title, meeting), "most": MOST, **shown}
    return TemplateResponse(request, "admin/applications/recommendations/import.html", context, status=status)


def _imported(request, meeting, numbers):
    new, changed = numbers["new"], numbers["changed"]
    words = [
        ngettext("%(n)s recommendation is entered.", "%(n)s recommendations are entered.", new) % {"n": new},
        ngettext("%(n)s is changed.", "%(n)s are changed.", changed) % {"n": changed},
    ]
    messages.success(request, " ".join(words))
    return _back(meeting)


# --- Publishing, telling, a file -------------------------------------------------------------------------------------


@require_POST
def publish(request, site, meeting_pk):
    """Show it to everybody, or take that back."""
    require(request, *KEEP)
    meeting, now = find_meeting(meeting_pk), timezone.now()
    try:
        if "hide" in request.POST:
            afterwards.hide(meeting, by=request.user, now=now)
            messages.success(request, _("Nobody outside sees it any more."))
        else:
            source = " ".join(request.POST.get("source", "").split())[:200]
            afterwards.publish(meeting, source=source, by=request.user, now=now)
            messages.success(request, _("Published: everybody can read it now."))
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    return _back(meeting)


@require_POST
@proved
def tell(request, site, meeting_pk):
    """Write to those who spoke."""
    require(request, *KEEP, "decide")
    meeting = find_meeting(meeting_pk)
    try:
        number = afterwards.tell(meeting, by=request.user, now=timezone.now())
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        words = ngettext("%(n)s speaker is written to.", "%(n)s speakers are written to.", number)
        messages.success(request, words % {"n": number})
    return _back(meeting)


@require_POST
@proved
def file(request, site, meeting_pk):
    """What was made, as a table that can be read in again. Public words: nobody who applied is in it."""
    format, now, meeting = request.POST.get("format", ""), timezone.now(), find_meeting(meeting_pk)
    rights = [f"applications.{right}" for right in (*LOOK, "export")]
    allowed = request.user.has_perms(rights)
    reason = f"{_('Recommendations')} · {meeting.series} · {meeting.state.pk} · {format[:10]}"
    trail.record(request.user, "exported", now=now, by=request.user, refused=not allowed, reason=reason)
    require(request, *LOOK, "export")
    if format not in FORMATS:
        raise Http404
    headings = [_("number"), _("recommendation"), _("made by"), _("theme"), _("response"), _("response of")]
    rows = [
        [
            row.number,
            row.text,
            "; ".join(state.name for state in row.made_by.all()),
            row.theme.name if row.theme else "",
            row.get_response_display(),
            row.responded_on,
        ]
        for row in afterwards.made_for(meeting)
    ]
    outcome = ReviewOutcome.objects.filter(meeting=meeting).first()
    about = [(_("Source"), outcome.source)] if outcome and outcome.source else []
    table = exports.Table(
        title=f"{meeting.state.name} {meeting.series.number}", headings=headings, rows=rows, about=about
    )
    return as_file(exports.write(table, format), format, f"recommendations-{meeting.series.number}-{meeting.state.pk}")


PAGES = [  # under ApplicationAdmin's addresses: route, view, name
    ("recommendations/", index, "recommendations_index"),
    ("recommendations/<int:meeting_pk>/", page, "recommendations"),
    ("recommendations/<int:meeting_pk>/join/", join, "recommendations_join"),
    ("recommendations/<int:meeting_pk>/add/", one, "recommendation_add"),
    ("recommendations/<int:meeting_pk>/<int:pk>/", one, "recommendation"),
    ("recommendations/<int:meeting_pk>/import/", import_list, "recommendations_import"),
    ("recommendations/<int:meeting_pk>/publish/", publish, "recommendations_publish"),
    ("recommendations/<int:meeting_pk>/tell/", tell, "recommendations_tell"),
    ("recommendations/<int:meeting_pk>/file/", file, "recommendations_file"),
]
