"""Pages behind personal links are not for lists. Room: applications."""

from functools import wraps


def unlisted(view):
    """Whatever the view answers, no program that walks through the web shall list it, nor follow what it leads to."""

    @wraps(view)
    def answered(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return answered
