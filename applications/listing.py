"""What lists of the staff's desk have in common. Room: applications."""

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from presessions import vault
from presessions.mail.admin.listing import MOST, OnlyFilters, UpToMost
from presessions.trail.references import ALPHABET


def pill(kind, label):
    return format_html('<span class="pill pill-{}">{}</span>', kind, label)


def moment(instant):
    """An instant for a column, in Geneva time; a dash while it is unknown."""
    if not instant:
        return admin.site.empty_value_display
    return format_html(
        '<time datetime="{}">{}</time>', instant.isoformat(), date_format(localtime(instant), "j M Y H:i")
    )


def by_reference_or_address(queryset, words):
    """Rows whose reference begins like the words, or whose address is exactly that."""
    if "@" in words:
        return queryset.filter(email_index__in=vault.blind_indexes("email", words))
    letters = words.upper().translate(str.maketrans("OIL", "011"))  # as people misread them
    letters = "".join(letter for letter in letters if letter in ALPHABET)
    reference = f"{letters[:5]}-{letters[5:]}" if len(letters) > 5 else letters
    return queryset.filter(reference__startswith=reference) if letters else queryset.none()


class ReadOnly(admin.ModelAdmin):
    """Rows to look through: nothing is added, changed or deleted here."""

    actions = None
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class Readable(OnlyFilters, ReadOnly):
    """A long list to read and search."""

    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    paginator = UpToMost

    def changelist_view(self, request, extra_context=None):
        title = self.opts.verbose_name_plural
        context = {"title": title[:1].upper() + title[1:], "most": MOST}
        return super().changelist_view(request, {**context, **(extra_context or {})})
