"""What this room's own pages on the staff's desk share. Room: missions."""

from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse

from presessions.upr.models import Series


def require(request, *permissions):
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def page(request, site, template, title, **context):
    """A page about series. template -- of templates/admin/upr/series/"""
    context = {**site.each_context(request), "opts": Series._meta, "title": title, **context}
    return TemplateResponse(request, f"admin/upr/series/{template}.html", context)


def report_page(request, site, template, title, **context):
    """A page of figures. template -- of templates/admin/missions/report/"""
    context = {**site.each_context(request), "opts": Series._meta, "title": title, **context}
    return TemplateResponse(request, f"admin/missions/report/{template}.html", context)
