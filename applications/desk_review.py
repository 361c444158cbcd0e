"""The review desk: one application after the other, its document beside its answers and my assessment. Room:
applications; part of `desk`.

Next comes the one that fewest have assessed. Addresses carry what is gone through, a series or one meeting, so that a
page can be kept open, loaded again and sent to a colleague; what I skip is remembered in my session only.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from applications import assessments, at_risk, desk, documents
from applications.models import Application, Attachment
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting, Series

KEY = "skipped"  # in the session: references, which are random and tell nothing
MOST_SKIPPED = 500
TEXT_POLICY = (  # of a page that only shows words: nothing runs in it and nothing leaves it
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Scope:
    """What is gone through: one series, one meeting, or all that there is."""

    series: Series | None = None
    meeting: CountryMeeting | None = None

    @classmethod
    def of(cls, request):
        """As the address says. Raises Http404 for what is not there."""

        def asked(name, rows):
            key = request.GET.get(name)
            return get_object_or_404(rows, pk=int(key) if key.isdecimal() else 0) if key else None

        meeting = asked("meeting", CountryMeeting.objects.with_state())
        return cls(None if meeting else asked("series", Series.objects.select_related("session")), meeting)

    @property
    def query(self):
        chosen = {"meeting": self.meeting, "series": self.series}
        words = urlencode({name: row.pk for name, row in chosen.items() if row})
        return f"?{words}" if words else ""

    @property
    def words(self):
        if self.meeting:
            return self.meeting.state.name
        return str(self.series) if self.series else _("all series")

    def applications(self, request):
        """Those that whoever asks may read: what is masked cannot be assessed."""
        return self._within(at_risk.seen_by(request, Application.objects.all()))

    def masked(self, request):
        """How many wait that somebody must reveal first."""
        rows = Application.objects.undecided().filter(at_risk=True).exclude(reference__in=at_risk.revealed(request))
        return self._within(rows).count()

    def _within(self, rows):
        if self.meeting:
            return rows.filter(state_call__meeting=self.meeting)
        return rows.filter(state_call__call__series=self.series) if self.series else rows

    def address(self, name, *arguments):
        return reverse(f"admin:applications_{name}", args=arguments) + self.query


@require_http_methods(["GET", "POST"])
def review(request, site):
    """Leads to the next application, or says that there is none. A POST takes up again what I skipped."""
    desk.require(request, "view_application", "assess")
    scope, now = Scope.of(request), timezone.now()
    if request.method == "POST":
        request.session.pop(KEY, None)
        return redirect(scope.address("review"))
    rows, skipped = scope.applications(request), request.session.get(KEY, [])
    found = assessments.following(request.user, rows, now, but=skipped)
    if found:
        return redirect(scope.address("review_one", found.pk))
    progress = assessments.progress(request.user, rows, now)
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Review desk"),
        "scope": scope,
        "progress": progress,
        "masked": scope.masked(request),
        "last": assessments.last_of(request.user, rows),
    }
    return TemplateResponse(request, "admin/applications/review/done.html", context)


@require_http_methods(["GET", "POST"])
def review_one(request, site, pk):
    """One application beside its document and my assessment; the POST saves it, abstains or skips, and goes on."""
    desk.require(request, "view_application", "assess")
    scope, now = Scope.of(request), timezone.now()
    application = get_object_or_404(desk.with_answers(), pk=pk)
    if application.status in desk.HIDDEN or at_risk.is_masked_for(request, application):
        return redirect("admin:applications_application_change", pk)  # where it says why there is nothing to read
    if request.method == "POST":
        return _step(request, site, application, scope, now)
    at_risk.note_opening(request, application, now=now)
    return _page(request, site, application, scope, now)


def _step(request, site, application, scope, now):
    step = request.POST.get("step")
    if step not in ("save", "abstain", "skip"):
        raise Http404
    if step == "skip":
        skipped = [*request.session.get(KEY, []), application.reference]
        request.session[KEY] = list(dict.fromkeys(skipped))[-MOST_SKIPPED:]
        return redirect(scope.address("review"))
    posted = {"abstained": "on"} if step == "abstain" else request.POST
    form = desk.AssessmentForm(posted)
    if not form.is_valid():
        return _page(request, site, application, scope, now, form=form)
    try:
        assessments.assess(application, by=request.user, now=now, **form.cleaned_data)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
        return redirect(scope.address("review_one", application.pk))
    words = _("You abstained from %(application)s.") if step == "abstain" else _("Saved: %(application)s.")
    messages.success(request, words % {"application": application})
    return redirect(scope.address("review"))


def _page(request, site, application, scope, now, *, form=None):
    user, rows = request.user, scope.applications(request)
    mine = application.assessments.filter(by=user).first()
    last = assessments.last_of(user, rows)
    context = {
        **site.each_context(request),
        "is_nav_sidebar_enabled": False,  # the document needs the room
        "opts": Application._meta,
        "title": _("Assess %(reference)s") % {"reference": application.reference},
        "application": application,
        "name": at_risk.visible_name(request, application),
        "pill": desk.PILLS[application.status],
        "sections": desk.sections_of(application),
        "recommendations": application.recommendations.all(),
        "document": desk.document_of(application),
        "may": {"read_document": user.has_perm("applications.read_document")},
        "can_assess": application.status in Application.ANSWERABLE,
        "form": form or desk.AssessmentForm(instance=mine),
        "mine": mine,
        "views": assessments.visible_to(user, application),
        "views_count": application.assessments.count(),
        "scope": scope,
        "progress": assessments.progress(user, rows, now),
        "last": last if last and last.pk != application.pk else None,
    }
    return TemplateResponse(request, "admin/applications/review/page.html", context)


@require_GET
@xframe_options_sameorigin
def document_text(request, site, pk, attachment_pk):
    """The words of a Word or OpenDocument file as a page, for the frame beside the answers. What may be read, and that
    it was, as for the document itself."""
    desk.require(request, "view_application", "read_document")
    readable = Attachment.objects.checked().exclude(content_type=Attachment.ContentType.PDF)
    readable = readable.select_related("application").exclude(application__status__in=desk.HIDDEN)
    attachment = get_object_or_404(readable, application=pk, pk=attachment_pk)
    at_risk.refuse_masked(request, attachment.application)
    trail.record(attachment.application, "document_read", now=timezone.now(), by=request.user)
    try:
        parts = documents.parts(attachment)
    except documents.NotReadable:
        parts = None
    context = {"attachment": attachment, "application": attachment.application, "parts": parts}
    response = TemplateResponse(request, "admin/applications/application/document_text.html", context)
    response["Content-Security-Policy"] = TEXT_POLICY
    return response


PAGES = (
    ("review/", review, "review"),
    ("<int:pk>/review/", review_one, "review_one"),
    ("<int:pk>/document/<int:attachment_pk>/text/", document_text, "document_text"),
)
