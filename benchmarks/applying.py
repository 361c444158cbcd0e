"""A whole application, from a State's page to the receipt, with a PDF of 1 MB: 24 requests of somebody with a browser.

First one person alone, by Django's own client, so that each question to the database is counted; then people over HTTP
at the web as it is deployed, one after the other and several at once, half a minute each. The bar is 60 SQL; what only
opens and closes a transaction is counted apart.
"""

import os
import re
import statistics
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

from benchmarks import lists
from benchmarks.serving import Web, house, machine, processor_time

BAR = 60
AT_ONCE = 6
SECONDS = 30
SIZE = 1_000_000  # bytes of the file
TOKEN = "a" * 32


def main():
    os.environ["BEHIND_PROXY"] = "true"  # so that each person comes from another address
    with house():
        address = set_up()
        content, posts = paper(), facts()
        count_sql(address, posts, content)
        with Web() as web:
            for at_once in (1, AT_ONCE):
                crowd(web, address, posts, content, at_once)
    print(f"applying: {machine()}")


def set_up():
    _browser, world = lists.set_up()
    return f"/en/apply/54/{world['state_call'].state.pk}/"


def paper():
    from tests.applications import hostile

    return hostile.pdf(lambda document: document.Root.__setitem__("/Scan", document.make_stream(os.urandom(SIZE))))


def facts():
    """{section: what a browser posts}"""
    from applications import rules
    from tests.applications.factories import answers
    from tests.applications.test_journey import posted

    given = answers()
    return {section: posted(given.get(section, {})) | {"save": "1"} for section in rules.SECTIONS}


def begin(number):
    """What the first form posts: by a person who has read for a minute."""
    from django.core import signing

    shown = signing.dumps(time.time() - 60, salt="form shown")
    return {"email": f"p{number}@example.org", "language": "en", "shown": shown}


def link_of(number):
    """The path of the personal link, out of the letter that waits in the outbox."""
    from presessions.mail.models import Letter
    from tests.mail.letters import body_of

    letter = Letter.objects.to_address(f"p{number}@example.org").get(kind="application_link")
    return re.search(r"https?://[^/]+(/\S*/application/\S+)", body_of(letter))[1]


def walk(number, address, posts, content, get, post):
    """The way; get -- of a path, post -- of a path, fields and a file. Yields what each step is called."""
    get(address)
    post(address, begin(number))
    yield "begun"
    link = link_of(number)
    get(link)
    post(link, {})
    get("/en/application/")
    yield "opened"
    for section, given in posts.items():
        path = f"/en/application/{section}/"
        get(path)
        post(path, given, content if section == "file" else None)
        yield section
    get("/en/application/check/")
    post("/en/application/check/", {"understood": "on"})
    yield "sent"
    get("/en/application/receipt/")


# --- One alone, counted ----------------------------------------------------------------------------------------------


def count_sql(address, posts, content):
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from applications.models import Application

    browser = Client(HTTP_HOST="localhost")

    def post(path, fields, file=None):
        more = {"file": SimpleUploadedFile("submission.pdf", file)} if file else {}
        assert browser.post(path, {**fields, **more}).status_code == 302, path

    for number in (1, 2):  # the first one finds nothing warm
        browser.cookies.clear()
        with CaptureQueriesContext(connection) as asked:
            for _step in walk(number, address, posts, content, browser.get, post):
                pass
    assert Application.objects.sent().count() >= 2
    all_of_them = [query["sql"] for query in asked.captured_queries]
    around = sum(sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) for sql in all_of_them)
    count = len(all_of_them) - around - 1  # with one of them we have read the letter
    print(f"applying: {count} SQL for a whole application (bar {BAR}), {around} more begin or end a transaction")
    assert count <= BAR
    connection.close()


# --- Over HTTP --------------------------------------------------------------------------------------------------------


class Person:
    def __init__(self, port, number):
        self.line, self.number, self.cookies = HTTPConnection("127.0.0.1", port, timeout=120), number, {}
        self.cookies["csrftoken"] = TOKEN
        self.took = {}

    def ask(self, method, path, body=None, kind=None, good=200):
        address = ".".join(map(str, [10, *self.number.to_bytes(3, "big")]))
        headers = {"Host": "localhost", "X-Forwarded-For": address}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if kind:
            headers |= {"Content-Type": kind, "X-CSRFToken": TOKEN}
        began = time.perf_counter()
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        text = answer.read()
        self.took[method, path] = time.perf_counter() - began
        assert answer.status == good, (method, path, answer.status, text[-2000:])
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            if name == "sessionid":
                self.cookies[name] = value

    def get(self, path):
        self.ask("GET", path)

    def post(self, path, fields, file=None):
        if file is None:
            self.ask("POST", path, urlencode(fields, doseq=True), "application/x-www-form-urlencoded", 302)
            return
        rows = [f'--line\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        head = '--line\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        body = "".join([*rows, head]).encode() + file + b"\r\n--line--\r\n"
        self.ask("POST", path, body, "multipart/form-data; boundary=line", 302)


def crowd(web, address, posts, content, at_once):
    from django.db import connection

    whole, file, sending = [], [], []
    ends, numbers = time.perf_counter() + SECONDS, iter(range(100 * at_once, 10**6))

    def apply_until_the_end():
        while time.perf_counter() < ends:
            number = next(numbers)
            person, began = Person(web.port, number), time.perf_counter()
            for _step in walk(number, address, posts, content, person.get, person.post):
                pass
            whole.append(time.perf_counter() - began)
            file.append(person.took["POST", "/en/application/file/"])
            sending.append(person.took["POST", "/en/application/check/"])
        connection.close()

    began, computed = time.perf_counter(), sum(map(processor_time, web.children()))
    people = [threading.Thread(target=apply_until_the_end) for _ in range(at_once)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    rate = len(whole) / (time.perf_counter() - began) * 60
    cost = (sum(map(processor_time, web.children())) - computed) * 1000 / len(whole)
    middle = [statistics.median(times) * 1000 for times in (whole, file, sending)]
    print(
        f"applying: {at_once} at once: {rate:.0f} applications a minute; the whole way {middle[0]:.0f} ms, of which "
        f"the file {middle[1]:.0f} and the sending {middle[2]:.0f}; {cost:.0f} ms of processor time of the web each"
    )
