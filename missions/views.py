"""What a mission opens from its letter. Room: missions.

GET and HEAD change nothing but the note that the page was fetched: mail filters fetch links, and some run scripts. An
answer is a POST, for which somebody has pressed a button.
"""

from functools import partial, wraps

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from missions import calendar
from missions.forms import AnswerForm, DelegateFormSet
from missions.models import AnsweredMeanwhile, Colleague, Invitation
from presessions.mail import links


def by_invitation(view=None, *, visits=True):
    """Give the view the invitation behind the token: the mission's own, or a colleague's, who is then
    `request.colleague`. Altered, expired and revoked links all get the same page.

    visits -- whether fetching it is noted; not where a program comes by itself every hour
    """
    if view is None:
        return partial(by_invitation, visits=visits)

    @never_cache
    @wraps(view)
    def opened(request, token, **kwargs):
        now = timezone.now()
        link = links.find(token, "invitation", "colleague", now=now)
        if link is None:
            response = render(request, "missions/link_ended.html", status=404)
        else:
            if visits and request.method in ("GET", "HEAD"):
                links.visited(link, request, now)
            invitation, request.colleague = _behind(link)
            response = view(request, invitation, now=now, token=token, **kwargs)
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
    meetings = list(invitation.series.meetings().with_state())
    delegates = invitation.delegates.select_related("meeting__state_under_review__state")
    asked = {"invitation": invitation, "meetings": meetings, "now": now}
    lines = {"prefix": "delegate", "form_kwargs": {"meetings": meetings}}
    if request.method == "POST":
        # Without what is saved: a line that a colleague saved meanwhile, word for word, would pass for an empty one.
        form, formset = AnswerForm(request.POST, **asked), DelegateFormSet(request.POST, **lines)
    else:
        people = [{"name": one.name, "function": one.function, "meeting": one.meeting_id} for one in delegates]
        form, formset = AnswerForm(**asked), DelegateFormSet(initial=people, **lines)
    conflict, status = None, 200
    if request.method == "POST":
        status = 422
        if form.is_valid() & formset.is_valid():
            said = form.said(formset.said())
            try:
                invitation.answer(said, meetings=meetings, version=form.cleaned_data["version"], now=now)
            except AnsweredMeanwhile as error:
                conflict, status = error, 409
                invitation.refresh_from_db(fields=["version", "answered_at", "note"])
                form = AnswerForm({**request.POST.dict(), "version": invitation.version}, **asked)
            else:
                _say_what_came_too_late(request, form)
                return redirect("missions:invitation", token)
    page = {
        "invitation": invitation,
        "token": token,
        "form": form,
        "formset": formset,
        "delegates": delegates,
        "conflict": conflict,
    }
    return render(request, "missions/invitation.html", page, status=status)


def _say_what_came_too_late(request, form):
    for meeting in form.too_late():
        messages.warning(
            request,
            _("The meeting on %(state)s takes no more answers, so this one stays as it was. The others are saved.")
            % {"state": meeting.state.name},
        )


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
