"""A page that is the same for everybody, made once a second and not once for each who opens it. Room: applications.

Only for pages that hold nobody's data: what somebody takes back must be gone at once. Each process keeps its own.
"""

from functools import wraps
from time import monotonic

from django.conf import settings
from django.http import HttpResponse


def same_for_all(view):
    """Keep what the view answers for settings.PAGE_KEPT seconds, for each address."""
    kept = {}

    @wraps(view)
    def page(request, *args, **kwargs):
        if request.GET or "messages" in request.COOKIES:  # then the page has something to say to this one person
            return view(request, *args, **kwargs)
        about = request.scheme, request.get_host(), request.path  # the path says the language
        made_at, content = kept.get(about, (0, b""))
        if content and monotonic() - made_at < settings.PAGE_KEPT:
            return HttpResponse(content)
        answer = view(request, *args, **kwargs)
        if answer.status_code == 200 and not answer.cookies:
            kept[about] = monotonic(), answer.content
        return answer

    return page
