"""Which language a page speaks, and how its address says so. Room: wiring; imports nothing of ours.

Public pages stand under two letters, `/zh/` for what Django calls zh-hans. The staff desk has no such prefix and
speaks the languages of staff only, whatever else the browser would like to read; and to whoever has logged in, the one
of the account (accounts/doors.py).
"""

from django.conf import settings
from django.http import HttpResponseRedirect
from django.middleware.locale import LocaleMiddleware
from django.urls import LocalePrefixPattern, URLResolver, is_valid_path
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header


def prefix(language):
    """What an address says for one of `settings.LANGUAGES`: "zh" for "zh-hans"."""
    return language[:2]


def in_every_language(*patterns):
    """Django's i18n_patterns, with our prefixes. May only stand in the root of all addresses."""
    return [URLResolver(Prefix(), list(patterns))]


class Prefix(LocalePrefixPattern):
    @property
    def language_prefix(self):
        return f"{prefix(translation.get_language() or settings.LANGUAGE_CODE)}/"


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, which takes the language from the address or from the browser, for our prefixes and our staff."""

    def process_request(self, request):
        super().process_request(request)
        if request.path_info.startswith("/admin/") and request.LANGUAGE_CODE not in dict(settings.STAFF_LANGUAGES):
            request.LANGUAGE_CODE = staff_language(request)
            translation.activate(request.LANGUAGE_CODE)

    def process_response(self, request, response):
        """Where an address lacks its language, send people to the page in theirs; as Django does, which would say
        `/zh-hans/`."""
        response = super().process_response(request, response)
        if response.status_code == 404 and not translation.get_language_from_path(request.path_info):
            own = f"/{prefix(translation.get_language())}"
            slash = "" if request.path_info.endswith("/") else "/"
            for ending in ("", slash):
                if is_valid_path(f"{own}{request.path_info}{ending}"):
                    there = HttpResponseRedirect(own + request.get_full_path(force_append_slash=bool(ending)))
                    patch_vary_headers(there, ("Accept-Language", "Cookie"))
                    return there
        return response


def staff_language(request):
    """The first of the browser's languages that the desk speaks, else English."""
    for wish, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if prefix(wish) in dict(settings.STAFF_LANGUAGES):
            return prefix(wish)
    return settings.LANGUAGE_CODE
