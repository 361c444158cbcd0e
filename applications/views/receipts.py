"""Whether a receipt is true: for anybody who holds one. Room: applications.

Whoever knows a reference and a fingerprint learns that we received that file, and when. Everything else has one same
answer: a wrong pair, a draft that was never sent, an application that was erased.
"""

import hashlib

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from applications import throttle
from applications.forms.after import ReceiptCheckForm
from applications.models import Attachment


class FingerprintOnly(FileUploadHandler):
    """Computes the fingerprint of a file while it streams in, and keeps nothing of it."""

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.hash = hashlib.sha256()
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data, start):
        self.hash.update(raw_data)

    def file_complete(self, file_size):
        file = UploadedFile(name="file", size=file_size)  # whatever it is called: nobody needs that here
        file.sha256 = self.hash.hexdigest()
        return file


@csrf_exempt  # `_check` asks for the token, once it is said what happens to the file
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def check(request):
    """Reference and fingerprint, or reference and file: yes and when, or that we cannot confirm it."""
    request.upload_handlers = [FingerprintOnly(request)]
    return _check(request)


@csrf_protect
def _check(request):
    now = timezone.now()
    form = ReceiptCheckForm(request.POST or None, now=now, files=request.FILES or None)
    if not form.is_valid():
        return render(request, "applications/receipt_check.html", {"form": form})
    if not throttle.allows(request, "receipt", now=now):
        form.add_error(None, throttle.TOO_MANY)
        return render(request, "applications/receipt_check.html", {"form": form}, status=429)
    received = None if form.is_robot else _received(form.cleaned_data["reference"], form.fingerprints())
    context = {"form": form, "asked": form.cleaned_data["reference"], "received": received}
    return render(request, "applications/receipt_check.html", context)


def _received(reference, fingerprints):
    """The file that both belong to, or None. One question to the database, whatever the answer."""
    files = Attachment.objects.select_related("application").only(
        "kind", "uploaded_at", "sha256", "application__submitted_at", "application__received_at"
    )
    of_reference = files.filter(application__reference=reference, application__submitted_at__isnull=False)
    alike = of_reference.filter(sha256=min(fingerprints)).exclude(state=Attachment.State.ERASED)
    file = alike.order_by("uploaded_at").first()
    return file if len(fingerprints) == 1 else None
