"""A file sent in pieces: begun, sent piece by piece, asked how far it is. Room: applications.

Spoken by static/upload.js. What the script cannot answer by itself, such as a deadline or a session that is over, it
leaves to the form, whose POST says it in words on a page.
"""

import re

from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse, UnreadablePostError
from django.views.decorators.http import require_POST

from applications import files, uploads
from applications.views.form import applicants_page

SHA256 = re.compile("[0-9a-f]{64}")
BYTES = ("application/octet-stream", "")  # a browser says nothing about an ArrayBuffer


@require_POST
@applicants_page
def begin(request, application, now):
    """Where to send the pieces of a file, and where to go on when some of it is here."""
    facts = request.POST
    door = uploads.DOORS.get(facts.get("kind", ""))
    if door is None or not facts.get("size", "").isdecimal():
        return HttpResponseBadRequest()
    if not door.may(application, now):
        return JsonResponse({}, status=410)
    sha256 = facts.get("sha256", "")
    try:
        upload = uploads.begin(
            application,
            facts["kind"],
            name=facts.get("name", ""),
            size=int(facts["size"][:12]),
            sha256=sha256 if SHA256.fullmatch(sha256) else "",
            now=now,
        )
    except files.Refused as refused:
        return JsonResponse({"words": str(refused)}, status=422)
    return JsonResponse({"key": upload.key, "received": upload.received})


@applicants_page
def piece(request, application, now, key):
    """GET says how much of a file has come. POST keeps the next piece, which begins at `?from=`; one that does not fit
    there is answered with 409 and where to go on."""
    upload = uploads.find(application, key)
    if upload is None:
        return JsonResponse({}, status=404)
    if request.method == "POST":
        if request.content_type not in BYTES:  # of a form, the bytes are read away before we see them
            return HttpResponse("Send the bytes alone, as application/octet-stream.", "text/plain", 415)
        start = request.GET.get("from", "")
        if not start.isdecimal():
            return HttpResponseBadRequest()
        if not uploads.DOORS[upload.kind].may(application, now):
            return JsonResponse({}, status=410)
        try:
            uploads.add(upload, int(start[:12]), request.body, now=now)
        except UnreadablePostError:  # the line dropped in the middle of it
            return HttpResponseBadRequest()
        except uploads.WrongPlace as wrong:
            return JsonResponse({"received": wrong.received}, status=409)
    return JsonResponse({"received": upload.received})
