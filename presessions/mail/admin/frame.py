"""A mail's HTML as staff see it: in a frame that may do nothing. Room: mail.

Whoever wrote it, it runs no script, fetches nothing, posts nothing and follows no link: the answer says so itself,
whatever the page around it forgets. Pages show it by `<iframe sandbox src="…">`.
"""

from django.http import HttpResponse

# Mails carry their styles inline, which no page of ours may; these words replace the site's policy in this answer.
POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'"


def answer(html):
    """The HTML of one mail, personal links struck out, as a page for a frame of ours."""
    response = HttpResponse(html)
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
