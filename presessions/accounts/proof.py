"""Is it still you? Room: accounts.

What cannot be taken back asks for a proof younger than ten minutes: a release of answers, a mailing, a file that leaves
the house, opening what is masked.

    @proved
    def release(request, meeting_pk, site): ...

Without one, a POST is answered by a page that asks for a code and carries everything along that was posted; the code
given, the view goes on as if nothing had been. Files do not come along: they have to be chosen again.
"""

from functools import wraps

from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from presessions import trail
from presessions.accounts import second_factor, sessions
from presessions.accounts.tries import CODE, PASSWORD, Counter, TooMany

PROOF, PASSWORD_TOO, ONLY_LOOKED = "proof_code", "proof_password", "proof_only_looked"
OURS = {"csrfmiddlewaretoken", PROOF, PASSWORD_TOO, ONLY_LOOKED}


def proved(view):
    """A function view whose POST needs a fresh proof."""

    @wraps(view)
    @sensitive_post_parameters(PROOF, PASSWORD_TOO)
    def with_proof(request, *args, **kwargs):
        asked = request.method == "POST" and first(request, now=timezone.now())
        return asked or view(request, *args, **kwargs)

    with_proof.asks_for_proof = True
    return with_proof


def first(request, *, now):
    """None where the proof is fresh or has just been given; else the page that asks for it. For views that need it for
    some of what is posted to them."""
    return None if sessions.is_proved(request, now=now) else ask(request, now=now)


def comes_with(request):
    """Whether a POST has its proof: an earlier one that is fresh, or a code in it."""
    return PROOF in request.POST or sessions.is_proved(request, now=timezone.now())


def ask(request, *, now, locked=False, over=False):
    """None once the proof is given, and the POST is then as it was at first; else the page that asks for it.

    locked -- nobody has stirred for long, so that GET asks too; over -- the session is ten hours old: the password too
    """
    problem = ""
    if request.method == "POST" and PROOF in request.POST:
        problem = _refusal(request, now=now, over=over)
        if not problem:
            (sessions.begin_again if over else sessions.prove)(request, now=now)
            if ONLY_LOOKED in request.POST:
                return redirect(request.get_full_path())
            _put_back(request)
            return None
    return _page(request, problem, locked=locked, over=over)


def if_locked(request, *, now):
    """The page that asks, where nobody has stirred for long or the session is old; None where somebody is there."""
    over = sessions.is_over(request, now=now)
    if over or sessions.is_idle(request, now=now):
        return ask(request, now=now, locked=True, over=over)
    sessions.seen(request, now=now)
    return None


def _refusal(request, *, now, over):
    """Why the proof is none, or "" if it is one."""
    user, doors = request.user, (PASSWORD, CODE) if over else (CODE,)
    counters = {door: Counter(request, door, user.email, now=now) for door in doors}
    try:
        for counter in counters.values():
            counter.begin()
    except TooMany:
        trail.record(user, "proved", now=now, by=user, refused=True)
        return _("Too many wrong codes. Wait a quarter of an hour, then try again.")
    guessed = counters[CODE].guessed_from_everywhere()
    knows = not over or user.check_password(request.POST.get(PASSWORD_TOO, ""))
    if knows and second_factor.check(user, request.POST[PROOF], now=now, only_recovery=guessed):
        for counter in counters.values():
            counter.right()
        return ""
    trail.record(user, "proved", now=now, by=user, refused=True)
    if over:
        return _("The password or the code is wrong. A code counts only once: wait for the next one.")
    return _("This code is wrong or has been used already. Wait for the next one and type it.")


def _put_back(request):
    """The POST as it was before we asked."""
    posted = request.POST.copy()
    for name in OURS - {"csrfmiddlewaretoken"}:
        posted.pop(name, None)
    request.POST = posted


def _page(request, problem, *, locked, over):
    carried = [(name, value) for name, values in request.POST.lists() if name not in OURS for value in values]
    only_looked = request.method != "POST" or bool(request.FILES) or ONLY_LOOKED in request.POST
    context = {
        **admin.site.each_context(request),
        "title": _("Is it still you?"),
        "problem": problem,
        "carried": [] if only_looked else carried,
        "only_looked": only_looked,
        "lost_files": bool(request.FILES),
        "locked": locked,
        "over": over,
        "here": request.get_full_path(),
        "is_nav_sidebar_enabled": False,
        "available_apps": [],
    }
    page = TemplateResponse(request, "admin/accounts/proof.html", context)
    page["Cache-Control"] = "no-store"
    return page


def log_out(request, *, now):
    """End the session, and say so in the trail."""
    user = request.user
    if user.is_authenticated:
        trail.record(user, "logged_out", now=now, by=user)
    logout(request)


def to_log_in(request):
    """The log-in page, which leads back here."""
    looked = request.method in ("GET", "HEAD")
    return redirect_to_login(request.get_full_path() if looked else reverse("admin:index"), reverse("admin:login"))
