"""From a State to a personal link, and back by it. Known and unknown addresses are answered alike on every page."""

from datetime import datetime
from functools import partial

from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from applications import entering, throttle, visits
from applications.forms import LostLinkForm, StartForm
from applications.models import Application, Closed, StateCall
from applications.views.typed_address import lead_to
from applications.views.typed_address import show as show_typed
from presessions.mail import languages, links

SESSION_KEY = visits.OPEN
OPENED_AT = "opened_at"
page = require_http_methods(["GET", "HEAD", "POST"])


@page
@never_cache
def start(request, number, iso2):
    """State, e-mail address, language: a draft is there and its link on the way."""
    now = timezone.now()
    state_call = get_object_or_404(
        StateCall.objects.with_state(),
        meeting__state_under_review__session__number=number,
        meeting__state_under_review__state=iso2,
    )
    form = StartForm(request.POST or None, now=now, initial={"language": languages.spoken(get_language())})
    show = partial(render, request, "applications/start.html", {"form": form, "state_call": state_call})
    if not state_call.is_open(now):
        return closed(request, state_call, form)
    if not form.is_valid():
        return show()
    if form.is_robot:
        return lead_to("applications:link_sent", form.cleaned_data["email"])
    if not throttle.allows(request, "start", now=now):
        form.add_error(None, throttle.TOO_MANY)
        return show(status=429)
    try:
        Application.start(state_call, **form.wishes(), now=now)  # the draft and its letter, or neither
    except Closed:
        return closed(request, state_call, form)
    return lead_to("applications:link_sent", form.cleaned_data["email"])


start.typed = lambda request, number, iso2: StartForm(request.POST, now=timezone.now()).typed()


def closed(request, state_call, form):
    """Late is a page that says so and keeps what was typed; never a 404."""
    context = {"state_call": state_call, "typed": form.typed() if form.is_bound else []}
    return render(request, "applications/closed.html", context, status=410)


@require_safe
@never_cache
def link_sent(request):
    return show_typed(request, "applications:link_sent", "applications/link_sent.html")


@page
@never_cache
def lost_link(request):
    """Every application of an address gets its link again; an address without any is told so by mail, not here."""
    now = timezone.now()
    form = LostLinkForm(request.POST or None, now=now)
    if not form.is_valid():
        return render(request, "applications/lost_link.html", {"form": form})
    if form.is_robot:
        return lead_to("applications:link_sent", form.cleaned_data["email"])
    if not throttle.allows(request, "lost_link", now=now):
        form.add_error(None, throttle.TOO_MANY)
        return render(request, "applications/lost_link.html", {"form": form}, status=429)
    with throttle.in_equal_time():
        Application.send_links_again(form.cleaned_data["email"], language=get_language(), now=now)
    return lead_to("applications:link_sent", form.cleaned_data["email"])


lost_link.typed = lambda request: LostLinkForm(request.POST, now=timezone.now()).typed()


@page
@never_cache
def open_link(request, token):
    """A page with one button, because mail filters fetch links. Its POST takes the token out of the address."""
    now = timezone.now()
    link = links.find(token, "application", now=now)
    application = link and link.opens
    if application is None:
        return render(request, "applications/dead_link.html", status=404)
    if request.method != "POST":
        links.visited(link, request, now)
        return render(request, "applications/open.html")
    since = opened_at(request) if request.session.get(SESSION_KEY) == application.pk else None
    entering.leave(request)
    request.session[SESSION_KEY] = application.pk
    request.session[OPENED_AT] = (since or now).isoformat()  # opened once more, it has been open since the first time
    request.session.cycle_key()  # a session that somebody else prepared is worth nothing
    return redirect("applications:tasks")


def opened_at(request):
    """Since when the form is open in this session; None where it is not, or nobody can tell."""
    try:
        instant = datetime.fromisoformat(request.session[OPENED_AT])
    except (KeyError, TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None
