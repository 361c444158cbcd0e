"""A post whose line drops in the middle is no post: half a text must never be saved as if it were all of it.

Servers hand over what has come and say nothing; only the length that the browser announced tells. Wiring: stands first
among the middleware, so that nobody reads a post unguarded.
"""

from django.http import HttpResponseBadRequest, UnreadablePostError


class WholePosts:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        announced = request.META.get("CONTENT_LENGTH") or ""
        if announced.isdigit() and hasattr(request, "_stream"):
            request._stream = WholeStream(request._stream, int(announced))
        return self.get_response(request)

    def process_exception(self, request, exception):
        """Nobody is left to read the answer; it must not count as a fault of ours."""
        return HttpResponseBadRequest() if isinstance(exception, UnreadablePostError) else None


class WholeStream:
    """The body of a request. Raises UnreadablePostError where it ends before the length that was announced."""

    def __init__(self, stream, length):
        self.stream, self.left = stream, length

    def read(self, size=-1):
        wanted = self.left if size is None or size < 0 else min(size, self.left)
        return self._counted(self.stream.read(wanted) if wanted else b"", wanted)

    def readline(self, *args):
        return self._counted(self.stream.readline(*args), min(1, self.left))

    def close(self):
        self.stream.close()

    def _counted(self, data, wanted):
        self.left -= len(data)
        if len(data) < wanted:  # a server waits for all it is asked for, unless there is no more
            raise UnreadablePostError("The line dropped.")
        return data
