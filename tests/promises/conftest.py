from tests.mail.fixtures import dates, people, send_due, sink, timetable, user  # noqa: F401
