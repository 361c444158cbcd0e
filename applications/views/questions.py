"""The questions of the form without the form: to read, to print, to take away. Anybody may; nobody's data."""

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from applications import outline


@require_safe
def questions(request):
    return render(request, "applications/questions.html", _all())


@require_safe
def as_text(request):
    """The same list as a plain text, to fill in where there is no line."""
    lines = render_to_string("applications/questions.txt", _all(), request).splitlines()
    text = "\n".join(line.rstrip() for line in lines).strip() + "\n"
    headers = {"Content-Disposition": 'attachment; filename="questions.txt"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


def _all():
    return {"sections": outline.sections(), "last_word": outline.last_word()}
