"""The outbox in the admin: every letter, its state, its tries and what the servers said. Room: mail.

The list is made in `listing`. An address stands nowhere but on the letter's own page.
"""

from functools import partial
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from presessions.mail import registry, repairs
from presessions.mail.admin import answers, frame, listing
from presessions.mail.admin.steps import StepsAdmin, pill
from presessions.mail.models import Attempt, Letter, LinkVisit
from presessions.upr.dates import in_words

State = Letter.State
MOST_VISITS = 20  # that a letter's page tells one by one


@admin.register(Letter)
class LetterAdmin(listing.OnlyFilters, StepsAdmin):
    list_display = ("recipient", "label", "state_pill", "attempts", "last_answer", "moment")
    list_filter = (listing.EyesFilter, "state", listing.KindFilter, listing.MailingFilter)
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    paginator = listing.UpToMost
    search_fields = ("key",)  # what is searched stands in listing.found
    search_help_text = gettext_lazy(
        "A mission or its State in any language, a whole address, an applicant’s reference, the beginning of a key, or "
        "a Message-ID."
    )
    ordering = ("-created_at",)
    change_list_template = "admin/mail/letter/change_list.html"
    change_form_template = "admin/mail/letter/page.html"

    # The list

    def get_queryset(self, request):
        if not request.resolver_match.url_name.endswith("changelist"):
            return super().get_queryset(request).select_related("mailing__series__session")
        named = ("mailing__series__session", "mailing__meeting__state_under_review__state")
        return super().get_queryset(request).select_related(*named).defer(*Letter.SEALED)

    def get_changelist(self, request, **kwargs):
        return listing.Outbox

    def get_search_results(self, request, letters, term):
        found = listing.found(letters, term)
        return listing.without_masked(request, found) if listing.is_address(term) else found, False

    def changelist_view(self, request, extra_context=None):
        """The list. Its search is posted, so that no address stands in the address line or in the browser's memory."""
        if request.method == "POST" and "q" in request.POST:
            kept = {name: value for name, value in request.GET.items() if name not in ("q", "p", "e", "eyes")}
            asked = {**kept, "q": listing.without_address(request.POST["q"])}
            return redirect(f"{request.path}?{urlencode(asked)}")
        number = listing.to_look_at()[: listing.MOST].count()
        title = ngettext("Outbox: %(number)d letter to look at", "Outbox: %(number)d letters to look at", number)
        context = {
            "title": title % {"number": number} if number else _("Outbox: nothing to look at"),
            "most": listing.MOST,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.display(description=gettext_lazy("recipient"))
    def recipient(self, letter):
        return letter.recipient_words

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def label(self, letter):
        return str(letter.mailing) if letter.mailing_id else letter.label

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_pill(self, letter):
        words = letter.get_state_display()
        if letter.uncertain_at and letter.state != State.UNCERTAIN:
            words = _("%(state)s, perhaps twice") % {"state": words}
        return pill(letter.state, words)

    @admin.display(description=gettext_lazy("last answer"), ordering="last_code")
    def last_answer(self, letter):
        return answers.in_words(letter.last_code)

    @admin.display(description=gettext_lazy("when"), ordering="created_at")
    def moment(self, letter):
        if letter.sent_at:
            return _("sent %(moment)s") % {"moment": in_words(letter.sent_at)}
        return _("written %(moment)s") % {"moment": in_words(letter.created_at)}

    # One letter

    def get_urls(self):
        html = path("<int:pk>/html/", self.admin_site.admin_view(self.html_view), name="mail_letter_html")
        return [html, *super().get_urls()]

    @method_decorator(require_safe)
    def html_view(self, request, pk):
        """What was sent, personal links struck out, for the frame on the letter's page."""
        letter = Letter.objects.filter(pk=pk).only("kept_html", "recipient_kind", "recipient_id").first()
        if not self.has_view_permission(request, letter) or listing.is_masked(request, letter):
            raise PermissionDenied
        if letter is None or not letter.kept_html:
            raise Http404
        return frame.answer(letter.kept_html)

    def page_for(self, request, letter):
        registry.recipient_kind(letter.recipient_kind).opened(request, letter)
        return {**super().page_for(request, letter), "masked": listing.is_masked(request, letter)}

    def page(self, letter):
        listing.name_recipients([letter])
        return {
            "title": capfirst(f"{self.label(letter)} – {letter.recipient_words}"),
            "state_pill": self.state_pill(letter),
            "recipient": letter.recipient_words,
            "recipient_url": registry.recipient_kind(letter.recipient_kind).admin_url(letter),
            "history": self._history(letter),
            "copies": self._copies(letter),
            "doors": self._doors(letter),
            "visits": self._visits(letter),
            "steps": self._steps(letter),
        }

    def _history(self, letter):
        """Each try and each answer, in order: (attempt, its code in words)."""
        return [(attempt, answers.in_words(attempt.code)) for attempt in Attempt.objects.filter(letter=letter)]

    def _copies(self, letter):
        """Every letter to the same person about the same thing, oldest first; only itself: nothing to tell."""
        first = letter.key.split("/")[0]
        chain = Letter.objects.filter(Q(key=first) | Q(key__startswith=f"{first}/")).defer(*Letter.SEALED)
        chain = [(copy, self.state_pill(copy)) for copy in chain.order_by("copy", "pk")]
        return chain if len(chain) > 1 else []

    def _doors(self, letter):
        """(when the link was taken back, when its reader answered) for each thing that the letter's links open."""
        doors = {}
        for link in letter.links.order_by("pk"):
            if (link.purpose, link.target_id) not in doors:
                purpose = registry.PURPOSES.get(link.purpose)
                doors[link.purpose, link.target_id] = (link.revoked_at, purpose and purpose.answered(link))
        return list(doors.values())

    def _visits(self, letter):
        """(the last few, how many more there are): pages fetched by the letter's links, by people or by machines."""
        visits = LinkVisit.objects.filter(link__letter=letter)
        number = visits.count()
        return list(visits.order_by("-at", "-pk")[:MOST_VISITS]), max(0, number - MOST_VISITS)

    # Steps

    def steps(self, letter, request):
        return {
            "arrived": partial(self._for_a_reason, letter, "arrived", repairs.arrived),
            "send_again": partial(self._send_again, letter, request),
            "drop": partial(self._for_a_reason, letter, "drop", repairs.drop),
        }

    def _for_a_reason(self, letter, name, step, *, reason, **who_and_when):
        if not reason.strip():
            return {"steps": self._steps(letter, wrong=name)}
        return step(letter, reason=reason, **who_and_when)

    def _send_again(self, letter, request, **why):
        fresh = repairs.send_again(letter, **why)
        if fresh.pk != letter.pk:
            page = reverse("admin:mail_letter_change", args=[fresh.pk])
            messages.info(request, format_html('{} <a href="{}">{}</a>', _("A new letter was written:"), page, fresh))

    def _steps(self, letter, wrong=None):
        """What can be done with the letter as it is: each with what it means, and whether it wants a reason."""
        uncertain, settled = letter.state == State.UNCERTAIN, letter.state in Letter.SETTLED
        replaced = letter.replaced_by.exists()
        if uncertain:
            again = _("The same bytes go once more, at once. If the first did arrive, the person has it twice.")
        else:
            again = _(
                "A new letter is written with the text of today, to where this person is reached today, with a new "
                "personal link. It goes at once. This letter stays as it is."
            )
        if settled:
            drop = _("Nothing more will be done about it, and it leaves the list of what is to be looked at.")
        else:
            drop = _("It will not be tried again. This cannot be undone.")
        steps = [
            {
                "name": "arrived",
                "words": _("It arrived"),
                "meaning": _("It counts as sent from now on, and goes no more."),
                "possible": uncertain,
                "needs_reason": True,
            },
            {
                "name": "send_again",
                "words": _("Send again"),
                "meaning": again,
                "possible": uncertain or (settled and not replaced),
            },
            {
                "name": "drop",
                "words": _("Drop"),
                "meaning": drop,
                "possible": letter.state in repairs.MAY_BE_DROPPED and not replaced,
                "needs_reason": True,
            },
        ]
        return [{**step, "wrong": step["name"] == wrong} for step in steps if step["possible"]]
