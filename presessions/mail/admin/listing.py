"""What the outbox's list is made of: what it opens on, how it is searched, whom it names. Room: mail.

It stays as quick with a million letters as with ten: nothing is counted beyond `MOST`, nothing is searched but by an
index, and the names of a page's recipients are asked for once. No address stands in it, nor in its address line.
"""

import re
from datetime import timedelta

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions import vault
from presessions.mail import registry
from presessions.mail.models import Letter, Mailing

MOST = 5_000  # letters that a list counts, and leafs through
MAILINGS = 12  # that can be chosen in the list; an older one by its own page
BY_INDEX = "to:"  # begins a search for an address whose blind index follows
MESSAGE_ID = re.compile(r"<?[0-9a-f]{32}@[^@<>]+>?")  # of ours: see letters.new_message_id


def to_look_at():
    """What needs a person and was not yet written anew."""
    return Letter.objects.to_look_at().filter(replaced_by=None)


# --- Searching -------------------------------------------------------------------------------------------------------


def without_address(term):
    """The search as it may stand in the address line: an address gives way to its blind index."""
    term = term.strip()
    if MESSAGE_ID.fullmatch(term):
        return f"<{term.strip('<>')}>"
    return BY_INDEX + ".".join(vault.blind_indexes("email", term)) if "@" in term else term


def found(letters, term):
    """The letters that a search means: a whole address, a name, a reference, the beginning of a key, a Message-ID.

    Each way has an index. A room says whom a name means; one whose people are a secret finds nobody by name.
    """
    term = term.strip()
    if not term:
        return letters
    if term.startswith(BY_INDEX):
        return letters.filter(to_index__in=term.removeprefix(BY_INDEX).split("."))
    if MESSAGE_ID.fullmatch(term):
        return letters.filter(message_id=f"<{term.strip('<>')}>")
    if "@" in term:
        return letters.filter(to_index__in=vault.blind_indexes("email", term))
    wanted = Q(key__startswith=term)
    for name, kind in registry.RECIPIENTS.items():
        wanted |= Q(recipient_kind=name, recipient_id__in={term[:64], term[:64].upper(), *map(str, kind.find(term))})
    return letters.filter(wanted)


def is_address(term):
    """Whether a search is for an address, as it was typed or as it stands in the address line."""
    return "@" in term or term.strip().startswith(BY_INDEX)


def without_masked(request, letters):
    """The few letters that an address leads to, without those that whoever asks may not read."""
    ids = {}
    for kind, recipient in set(letters.order_by().values_list("recipient_kind", "recipient_id")[:MOST]):
        ids.setdefault(kind, set()).add(recipient)
    for kind, recipients in ids.items():
        letters = letters.exclude(recipient_kind=kind, recipient_id__in=masked(request, kind, recipients))
    return letters


def masked(request, kind, ids):
    return set(registry.recipient_kind(kind).masked(request, ids))


def is_masked(request, letter):
    """Whether only that there is this letter, and whether it arrived, may be shown to whoever asks."""
    return bool(letter) and letter.recipient_id in masked(request, letter.recipient_kind, {letter.recipient_id})


# --- Naming ----------------------------------------------------------------------------------------------------------


def name_recipients(letters):
    """Give each letter its `recipient_words`, with one question to each kind of recipient among them."""
    letters, kinds = list(letters), {}
    for letter in letters:
        kinds.setdefault(letter.recipient_kind, []).append(letter)
    for kind, theirs in kinds.items():
        words = registry.recipient_kind(kind).label(theirs)
        for letter in theirs:
            letter.recipient_words = words.get(letter.recipient_id) or f"{kind} {letter.recipient_id}"
    return letters


# Newest first, said so that the database does not look for a few old letters by walking over a million newer ones.
FOUND_NEWEST_FIRST = ExpressionWrapper(F("created_at") + timedelta(0), DateTimeField()).desc()


class Outbox(ChangeList):
    def get_ordering(self, request, queryset):
        sorted_by_hand = ORDER_VAR in self.params
        if self.query and not sorted_by_hand:
            return [FOUND_NEWEST_FIRST, "-pk"]
        return super().get_ordering(request, queryset)

    def get_results(self, request):
        super().get_results(request)
        self.result_list = name_recipients(self.result_list)
        self.is_cut = self.result_count >= MOST
        self.by_address = self.query.startswith(BY_INDEX)


class UpToMost(Paginator):
    """Counts no further than `MOST`: of a million letters nobody reads the last page, but the database would."""

    @cached_property
    def count(self):
        return self.object_list.order_by()[:MOST].count()


class OnlyFilters:
    """Mixed into a ModelAdmin, before it: the address of its list asks for nothing but what its filters offer. Django
    would let it ask for every column, and so find out what is masked, one guess after the other."""

    def lookup_allowed(self, lookup, value, request):
        offered = (one if isinstance(one, str) else one.parameter_name for one in self.get_list_filter(request))
        return any(lookup in (name, f"{name}__exact", f"{name}__in") for name in offered)


# --- Choosing --------------------------------------------------------------------------------------------------------


class EyesFilter(admin.SimpleListFilter):
    """The list opens on what needs a person; a search, a state or a mailing looks everywhere."""

    title = gettext_lazy("what to see")
    parameter_name = "eyes"
    WIDER = ("q", "state__exact", "mailing__id__exact")

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        self.default = "all" if any(request.GET.get(name) for name in self.WIDER) else "look"

    def value(self):
        return super().value() or self.default

    def lookups(self, request, model_admin):
        return [
            ("look", _("to look at")),
            ("waiting", _("on its way")),
            ("settled", _("settled")),
            ("all", _("all")),
        ]

    def choices(self, changelist):
        _everything, *ours = super().choices(changelist)
        return ours

    def queryset(self, request, letters):
        if self.value() == "look":
            return letters.to_look_at().filter(replaced_by=None)
        if self.value() == "waiting":
            return letters.unsettled()
        return letters.settled() if self.value() == "settled" else letters


class KindFilter(admin.SimpleListFilter):
    """The registered kinds: asking the table for its own would read all of it."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(kind.name, kind.label) for kind in registry.KINDS.values()]

    def queryset(self, request, rows):
        return rows.filter(kind=self.value()) if self.value() else rows


class MailingFilter(admin.SimpleListFilter):
    """The mailings that were written last, and the one that is asked for."""

    title = gettext_lazy("mailing")
    parameter_name = "mailing__id__exact"

    def lookups(self, request, model_admin):
        has_letters = Exists(Letter.objects.filter(mailing=OuterRef("pk")))
        written = Mailing.objects.with_series().filter(has_letters, writing_at__isnull=False).order_by("-writing_at")
        choices = [(str(mailing.pk), str(mailing)) for mailing in written[:MAILINGS]]
        asked = request.GET.get(self.parameter_name, "")
        if asked.isdecimal() and asked not in dict(choices):
            choices += [(asked, str(one)) for one in Mailing.objects.with_series().filter(pk=int(asked[:18]))]
        return choices

    def queryset(self, request, letters):
        if not self.value():
            return letters
        return letters.filter(mailing=int(self.value()[:18])) if self.value().isdecimal() else letters.none()
