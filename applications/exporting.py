"""“Export what is filtered”: the rows of a staff list as a file that leaves the house. Room: applications; missions
import it.

A list says which audiences its rows may go to; each audience has its own columns, and only those. The file is made from
the very rows that the list shows. Who took it, for whom, how many rows and by which filter stands in the trail before a
byte goes out; a refusal stands there too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from presessions import exports, trail
from presessions.accounts.proof import proved
from presessions.trail import words
from presessions.upr.dates import in_words

MOST = 5_000  # rows of one file: a series has hundreds
NOT_THE_FILTER = ("p", "e", "o")  # of a list's address: its page, an error, its order
words.give("accounts", {"exported": gettext_lazy("took rows out of the house")}, looks=("exported",))
FORMATS = {exports.XLSX: gettext_lazy("Excel (XLSX)"), exports.CSV: gettext_lazy("CSV")}


@dataclass(frozen=True)
class Column:
    """heading -- in words; value -- (row) -> what stands in the cell; open -- shown of masked rows as well"""

    heading: Any
    value: Callable
    open: bool = False


@dataclass(frozen=True)
class Audience:
    """Whom a file is for, and what it may hold.

    words -- what is in it, for staff who choose; rights -- needed besides reading the list
    rows -- (rows of the list) -> those of them that go out, with all that the columns ask for
    code -- of the event on each row that goes out; "" where rows have none
    masks -- (request, row) -> whether only open columns may be shown; left_out -- whether such rows do not go out
    masked -- what stands in the first closed column of such a row
    """

    name: str
    label: Any
    words: Any
    columns: tuple
    rows: Callable = field(default=lambda rows: rows)
    rights: tuple = ()
    code: str = ""
    masks: Callable = field(default=lambda request, row: False)
    left_out: bool = False
    masked: Any = ""

    def may(self, user):
        return user.has_perms(self.rights)


@dataclass
class Filtered:
    """The rows that a list shows under the filters of its address, and those filters in words."""

    rows: Any
    words: list  # (filter, choice)

    @cached_property
    def count(self):
        return self.rows.count()

    def __str__(self):
        return "; ".join(f"{title}: {choice}" for title, choice in self.words)


class Exports:
    """Mixed into a ModelAdmin, before it. `audiences` are asked in their order; the first one is proposed."""

    audiences = ()

    def may_export(self, request):
        return self.has_view_permission(request) and any(one.may(request.user) for one in self.audiences)

    @property
    def _export_name(self):
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def get_urls(self):
        ours = path("export/", self.admin_site.admin_view(self.export_view), name=self._export_name)
        return [ours, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        ours = {}
        if self.may_export(request):
            ours["export_url"] = reverse(f"admin:{self._export_name}")
        return super().changelist_view(request, {**ours, **(extra_context or {})})

    # --- The page ----------------------------------------------------------------------------------------------------

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(proved)
    def export_view(self, request):
        """GET shows what would go out, and for whom; POST, by who has shown again who they are, gives the file."""
        if not self.may_export(request):
            if request.method == "POST":
                self._note(request, request.POST.get("audience", ""), refused=True)
            raise PermissionDenied
        return self._give(request) if request.method == "POST" else self._choose(request)

    def _choose(self, request):
        asked = kept(request.GET)
        filtered = self._filtered(request, asked)
        if filtered is None:
            return redirect(self._list())
        choices = [one for one in self.audiences if one.may(request.user)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Export: %(what)s") % {"what": self.opts.verbose_name_plural},
            "filtered": filtered,
            "too_many": filtered.count > MOST,
            "most": MOST,
            "asked": asked.urlencode(),
            "back": f"{self._list()}?{asked.urlencode()}",
            "audiences": [(one, [str(column.heading) for column in one.columns]) for one in choices],
            "formats": FORMATS.items(),
        }
        return TemplateResponse(request, "admin/applications/export.html", context)

    def _give(self, request):
        asked = kept(QueryDict(request.POST.get("filter", "")))
        filtered = self._filtered(request, asked)
        audience = next((one for one in self.audiences if one.name == request.POST.get("audience")), None)
        format = request.POST.get("format")
        page = f"{reverse(f'admin:{self._export_name}')}?{asked.urlencode()}"
        if filtered is None or audience is None or format not in FORMATS:
            return redirect(page)
        if not audience.may(request.user):
            self._note(request, audience.name, filtered, refused=True)
            raise PermissionDenied
        if filtered.count > MOST:
            self._note(request, audience.name, filtered, refused=True)
            refusal = _("That are more than %(most)d rows. Please choose fewer in the list, for instance one series.")
            messages.error(request, refusal % {"most": MOST})
            return redirect(page)
        now = timezone.now()
        going, lines, left = self._lines(request, audience, filtered)
        table = exports.Table(
            title=self.opts.verbose_name_plural,
            headings=[str(column.heading) for column in audience.columns],
            rows=lines,
            about=self._about(request, audience, filtered, len(lines), left, now),
        )
        file = exports.write(table, format)
        self._note(request, audience.name, filtered, number=len(lines), format=format, now=now)
        if audience.code:
            trail.record_all(going, audience.code, now=now, by=request.user)
        return as_file(file, format, f"{self.opts.model_name}-{audience.name}-{now:%Y-%m-%d}")

    def _lines(self, request, audience, filtered):
        """(rows whose contents go out, lines of the file, how many rows are left out because they are masked)"""
        going, lines, left = [], [], 0
        for row in audience.rows(filtered.rows):
            if not audience.masks(request, row):
                going.append(row)
                lines.append([column.value(row) for column in audience.columns])
            elif audience.left_out:
                left += 1
            else:
                lines.append(_masked(audience, row))
        return going, lines, left

    def _about(self, request, audience, filtered, number, left, now):
        """What stands on the second sheet, so that whoever finds the file knows whose it is."""
        lines = [
            (_("What"), str(self.opts.verbose_name_plural)),
            (_("For"), str(audience.label)),
            (_("Chosen by"), str(filtered) or _("nothing: all of them")),
            (_("Rows"), number),
            (_("Made"), in_words(now)),
            (_("By"), str(request.user)),
            (_("Please"), _("Give it to nobody else, and delete it when it has been used.")),
        ]
        if left:
            lines.insert(4, (_("Left out, at risk"), left))
        return lines

    def _note(self, request, audience, filtered=None, *, number=0, format="", refused=False, now=None):
        """Who took what, for whom and how many, in the trail of that member of staff."""
        said = [str(self.opts.verbose_name_plural), audience, format, str(number), str(filtered or "")]
        reason = " · ".join(part for part in said if part)[:500]
        trail.record(
            request.user, "exported", now=now or timezone.now(), by=request.user, refused=refused, reason=reason
        )

    # --- The rows ----------------------------------------------------------------------------------------------------

    def _list(self):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _filtered(self, request, asked):
        """What the list would show for this address; None where it would show nothing but an error."""
        kept, request.GET = request.GET, asked
        try:
            shown = self.get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup):
            return None
        finally:
            request.GET = kept
        chosen = [(str(spec.title), _chosen(spec, shown)) for spec in shown.filter_specs]
        chosen = [(title, choice) for title, choice in chosen if choice]
        if shown.query:  # an address that was searched for stays out of the trail
            chosen.append((_("search"), _("an address") if "@" in shown.query else shown.query))
        return Filtered(self.model._default_manager.filter(pk__in=shown.queryset.order_by().values("pk")), chosen)


def kept(asked):
    """The filters of a list's address, without what is not one."""
    asked = asked.copy()
    for name in NOT_THE_FILTER:
        asked.pop(name, None)
    return asked


def _chosen(spec, shown):
    """The choice of a filter in words; "" where nothing was chosen."""
    chosen = next((str(choice["display"]) for choice in spec.choices(shown) if choice["selected"]), "")
    return "" if chosen == _("All") else chosen


def _masked(audience, row):
    """The line of a row of which only little may be shown; the first of the other cells says so."""
    closed = next((column for column in audience.columns if not column.open), None)
    return [
        column.value(row) if column.open else str(audience.masked) if column is closed else ""
        for column in audience.columns
    ]


def as_file(content, format, name):
    response = HttpResponse(content, content_type=exports.TYPES[format])
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
