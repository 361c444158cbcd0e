"""Searching a list of the desk without leaving the words in the browser: whom staff look for is nobody's business who
finds a line of its history. Basement; imports the vault.

    class ContactAdmin(SearchedInPrivate, ModelAdmin)

One with a ChangeList of its own derives it from PrivateSearch.

The search is posted; the answer leads to the list, in whose address the words stand sealed, so that it can be leafed
through, sorted and opened again by the same address.
"""

import base64
import binascii
from urllib.parse import urlencode

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.shortcuts import redirect

from presessions import vault

BEGINS, PLACE = "~", "search of a list"
FORGOTTEN = (SEARCH_VAR, PAGE_VAR, "e")  # of the list before


def sealed(words):
    """The words as they may stand in an address."""
    words = words.strip()
    if not words:
        return ""
    return BEGINS + base64.urlsafe_b64encode(vault.encrypt(words.encode(), PLACE)).decode().rstrip("=")


def opened(text):
    """What somebody looked for; what is not sealed is taken as it is, and what cannot be opened finds nothing."""
    if not text.startswith(BEGINS):
        return text
    packed = text.removeprefix(BEGINS)
    try:
        return vault.decrypt(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), PLACE).decode()
    except (vault.Unreadable, binascii.Error, ValueError):
        return BEGINS


class SealedSearchForm(ChangeListSearchForm):
    def clean(self):
        asked = super().clean()
        return {**asked, SEARCH_VAR: opened(asked.get(SEARCH_VAR) or "")}


class PrivateSearch(ChangeList):
    search_form_class, is_private = SealedSearchForm, True


class SearchedInPrivate:
    """Mixed into a ModelAdmin, before it."""

    def get_changelist(self, request, **kwargs):
        return PrivateSearch

    def changelist_view(self, request, extra_context=None):
        if request.method == "POST" and SEARCH_VAR in request.POST:
            kept = {name: value for name, value in request.GET.items() if name not in FORGOTTEN}
            if words := sealed(request.POST[SEARCH_VAR]):
                kept[SEARCH_VAR] = words
            return redirect(f"{request.path}?{urlencode(kept)}")
        return super().changelist_view(request, extra_context)
