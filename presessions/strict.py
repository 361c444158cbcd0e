"""What every answer tells the browser, whoever gave it: a page, a redirect, an error, a file. Wiring.

What may be loaded into a page is said in settings (CONTENT_SECURITY_POLICY). This stands before all that may answer.
"""

NOBODYS = ("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media",
           "geolocation", "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment",
           "picture-in-picture", "publickey-credentials-get", "serial", "usb", "web-share",
           "xr-spatial-tracking")  # fmt: skip
OURS = ("fullscreen", "screen-wake-lock")  # what the screen in the room asks for
ALWAYS = {
    "Permissions-Policy": ", ".join([f"{name}=()" for name in NOBODYS] + [f"{name}=(self)" for name in OURS]),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
NOT_KEPT = "private, no-store"


class Strict:
    """Middleware. Nothing that is for one person stays in a browser or on the way to it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if "no-store" not in response.get("Cache-Control", "") and is_for_one(request, response):
            response["Cache-Control"] = NOT_KEPT
        return response


def is_for_one(request, response):
    """Whether an answer may hold what only this browser should see: the desk's, whatever a session or a personal link
    had a part in, the answer to a form, and every error, which may give back what was typed."""
    session, found = getattr(request, "session", None), getattr(request, "resolver_match", None)
    return bool(
        request.path_info.startswith("/admin/")
        or request.method not in ("GET", "HEAD")
        or response.status_code >= 400
        or response.cookies
        or (session is not None and session.accessed)
        or (found and "token" in found.kwargs)
    )
