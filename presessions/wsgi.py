"""The web process, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "presessions.settings")
django = get_wsgi_application()


class WholeBody:
    """The body of a request, which is whole or nothing. Where a line drops in the middle, servers answer a read with
    less than was asked for, and a form cut short would pass for one that ends there: with half a file in it."""

    def __init__(self, body):
        self.body = body

    def read(self, size):
        data = self.body.read(size)
        if len(data) < size:
            raise ConnectionResetError("the line dropped in the middle of a request")
        return data

    def readline(self, size=-1):
        return self.body.readline(size)


def application(environ, start_response):
    environ["wsgi.input"] = WholeBody(environ["wsgi.input"])
    return django(environ, start_response)
