"""Nobody comes past these doors to the staff's desk without both factors. Room: accounts.

A middleware, so that no page can forget it: whatever stands under the admin's address answers nobody but its staff. To
everybody else answer only the ways in. Whoever has logged in reads the desk in the language of the account.
"""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode

from presessions.accounts import proof, sessions

DESK = "/admin/"
FOR_ALL = {"login", "logout", "forgotten", "forgotten_asked", "new_password"}
WITH_PASSWORD_ONLY = {"second_factor", "enrol"}


class StaffDoor:
    """Runs after the middlewares of sessions, CSRF, users and django_otp."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info.startswith(DESK) and request.user.is_authenticated:  # what the browser would like is over
            request.LANGUAGE_CODE = request.user.language
            translation.activate(request.LANGUAGE_CODE)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        match = request.resolver_match
        of_the_desk = "admin" in match.namespaces
        if not of_the_desk and not request.path_info.startswith(DESK):
            return None
        name = match.url_name if of_the_desk else None
        if name in FOR_ALL:
            return None
        user, now = request.user, timezone.now()
        if not (user.is_authenticated and user.is_staff):
            return proof.to_log_in(request)
        if not user.is_verified():
            if sessions.is_idle(request, now=now):
                proof.log_out(request, now=now)
                return proof.to_log_in(request)
            if name in WITH_PASSWORD_ONLY:
                return None
            wish = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("admin:index")
            return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{urlencode({'next': wish})}")
        return proof.if_locked(request, now=now)
