from tests.mail.fixtures import dates, people, sink, timetable, user  # noqa: F401
