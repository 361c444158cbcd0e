"""What a mission opens from its letter. Room: missions.

GET and HEAD change nothing but the note that the page was fetched: mail filters fetch links, and some run scripts. An
answer is a POST, for which somebody has pressed a button.
"""

from contextlib import suppress
from functools import partial, wraps

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import throttle
from applications.feedback import is_open
from applications.views import typed_address
from missions import calendar, passing_on
from missions.forms import AnswerForm, DelegateFormSet, NewLinkForm, PassOnForm
from missions.models import AnsweredMeanwhile, Colleague, Invitation
from missions.rules import takes_answers
from presessions.mail import links
from presessions.trail.steps import WrongStep


def by_invitation(view=None, *, visits=True):
    """Give the view the invitation behind the token: the mission's own, or a colleague's, who is then
    `request.colleague`; the link itself is `request.link`. Altered, expired and revoked links all get the same page,
    and so does one that is revoked while the view is at work.

    visits -- whether fetching it is noted; not where a program comes by itself every hour
    """
    if view is None:
        return partial(by_invitation, visits=visits)

    @never_cache
    @wraps(view)
    def opened(request, token, **kwargs):
        now = timezone.now()
        link = links.find(token, "invitation", "colleague", now=now)
        response = None
        if link is not None:
            if visits and request.method in ("GET", "HEAD"):
                links.visited(link, request, now)
            invitation, request.colleague = _behind(link)
            request.link = link
            with suppress(links.Ended):
                response = view(request, invitation, now=now, token=token, **kwargs)
        if response is None:
            response = render(request, "missions/link_ended.html", status=404)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "strict-origin"
        return response

    return opened


def _behind(link):
    """(Invitation with its names, the Colleague whose link it is or None)."""
    if link.purpose == "invitation":
        return Invitation.objects.with_names().get(reference=link.target_id), None
    names = ("invitation__mission__state", "invitation__series__session")
    colleague = Colleague.objects.select_related(*names).get(reference=link.target_id)
    return colleague.invitation, colleague


@require_http_methods(["GET", "HEAD", "POST"])
@by_invitation
def invitation(request, invitation, *, now, token):
    """All meetings of the series in one table, and one button that saves every answer at once."""
    page = Page(request, invitation, now, token)
    if request.method != "POST":
        return page.show()
    # Without what is saved: a line that a colleague saved meanwhile, word for word, would pass for an empty one.
    page.form, page.formset = AnswerForm(request.POST, **page.asked), DelegateFormSet(request.POST, **page.lines)
    if not (page.form.is_valid() & page.formset.is_valid()):
        return page.show(status=422)
    said, version = page.form.said(page.formset.said()), page.form.cleaned_data["version"]
    try:
        by = {"colleague": request.colleague, "link": request.link}
        changed = invitation.answer(said, meetings=page.meetings, version=version, now=now, **by)
    except AnsweredMeanwhile as conflict:
        invitation.refresh_from_db(fields=["version", "answered_at", "answered_by", "note"])
        page.form = AnswerForm({**request.POST.dict(), "version": invitation.version}, **page.asked)
        return page.show(status=409, conflict=conflict)
    if not changed and not invitation.answered_at:
        messages.warning(request, _("Nothing was chosen yet, so there is nothing to save."))
    _say_what_came_too_late(request, page.form)
    return redirect("missions:invitation", token)


class Page:
    """The page of an invitation, with the forms as they are when it is opened; whoever has a bound one puts it in."""

    def __init__(self, request, invitation, now, token):
        self.request, self.invitation, self.now, self.token = request, invitation, now, token
        self.meetings = list(invitation.series.meetings().with_state())
        self.delegates = invitation.delegates.select_related("meeting__state_under_review__state")
        self.asked = {"invitation": invitation, "meetings": self.meetings, "now": now}
        self.lines = {"prefix": "delegate", "form_kwargs": {"meetings": self.meetings}}
        self.form = self.formset = None
        self.pass_on = PassOnForm()

    def show(self, *, status=200, conflict=None):
        if self.form is None:
            people = [{"name": one.name, "function": one.function, "meeting": one.meeting_id} for one in self.delegates]
            self.form, self.formset = AnswerForm(**self.asked), DelegateFormSet(initial=people, **self.lines)
        colleagues = list(self.invitation.colleagues.filter(revoked_at=None).select_related("passed_on_by"))
        page = {
            "invitation": self.invitation,
            "token": self.token,
            "form": self.form,
            "still_open": sum(one.pk not in self.form.saved for one in self.form.open),
            "formset": self.formset,
            "delegates": self.delegates,
            "feedback_asked": is_open(self.invitation.series, self.now),
            "conflict": conflict,
            "colleague": self.request.colleague,
            "colleagues": [(one, passing_on.may_close(one, self.request.colleague)) for one in colleagues],
            "may_pass_on": len(colleagues) < passing_on.MOST_COLLEAGUES,
            "pass_on": self.pass_on,
            "held": [one for one in self.meetings if one.goes_ahead and not takes_answers(one, self.now)],
        }
        return render(self.request, "missions/invitation.html", page, status=status)


def _say_what_came_too_late(request, form):
    for meeting in form.too_late():
        messages.warning(
            request,
            _("The meeting on %(state)s takes no more answers, so this one stays as it was. The others are saved.")
            % {"state": meeting.state.name},
        )


# --- Colleagues -------------------------------------------------------------------------------------------------------


@require_POST
@by_invitation
def pass_on(request, invitation, *, now, token):
    """A letter to a colleague, with a link of their own."""
    page = Page(request, invitation, now, token)
    page.pass_on = form = PassOnForm(request.POST)
    if not form.is_valid():
        return page.show(status=422)
    email, name = form.cleaned_data["colleague_email"], form.cleaned_data["colleague_name"]
    try:
        by = {"through": request.colleague, "link": request.link}
        passing_on.pass_on(invitation, email=email, name=name, now=now, **by)
    except WrongStep as refusal:
        form.add_error(None, str(refusal))
        return page.show(status=429)
    messages.success(request, _("A mail with a link of their own is on its way to your colleague."))
    return _back(token)


@require_POST
@by_invitation
def close_colleague(request, invitation, *, now, token, reference):
    """Close the link of one colleague. Whoever closes their own is out."""
    colleague = invitation.colleagues.filter(reference=reference).first()
    if colleague is None or not passing_on.may_close(colleague, request.colleague):
        return render(request, "missions/link_ended.html", status=404)
    with suppress(WrongStep):  # closed by somebody faster: that is what was asked for
        passing_on.close(colleague, now=now, link=request.link)
    messages.success(request, _("This colleague’s link opens nothing any more."))
    return _back(token)


def _back(token):
    return redirect(f"{reverse('missions:invitation', args=[token])}#colleagues")


# --- A link that was lost ---------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_link(request):
    """A mission's link again, by mail. Whether an address is known is told in that mailbox, and not here."""
    now = timezone.now()
    form = NewLinkForm(request.POST or None, now=now)
    if not form.is_valid():
        return render(request, "missions/new_link.html", {"form": form})
    email = form.cleaned_data["email"]
    if form.is_robot:
        return typed_address.lead_to("missions:new_link_sent", email)
    if not throttle.allows(request, passing_on.LINK_AGAIN, now=now):
        form.add_error(None, throttle.TOO_MANY)
        return render(request, "missions/new_link.html", {"form": form}, status=429)
    with throttle.in_equal_time():
        passing_on.send_again(email, now=now)
    return typed_address.lead_to("missions:new_link_sent", email)


@require_safe
@never_cache
def new_link_sent(request):
    return typed_address.show(request, "missions:new_link_sent", "missions/new_link_sent.html")


# --- The calendar -----------------------------------------------------------------------------------------------------


@require_safe
@by_invitation
def calendar_entry(request, invitation, *, now, token, iso2):
    """One meeting for the reader's own calendar."""
    meeting = invitation.series.meetings().with_state().filter(state_under_review__state=iso2).first()
    if meeting is None or meeting.starts_at is None:
        return render(request, "missions/link_ended.html", status=404)
    content_type = f"text/calendar; charset=utf-8; method={'PUBLISH' if meeting.goes_ahead else 'CANCEL'}"
    response = HttpResponse(calendar.entry(meeting, now=now), content_type=content_type)
    number = invitation.series.number
    response["Content-Disposition"] = f'attachment; filename="pre-session-{number}-{meeting.state.pk}.ics"'
    return response
