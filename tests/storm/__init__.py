"""The storm: is mail lost or doubled when everything is killed at random moments? A test of the product, as it runs.

Real workers, beat, `send_due`, PostgreSQL (durable) and Redis, each a process of its own, and an SMTP server with
faults whose journal is the only truth. `weather` kills, `judge` compares the journal with the outbox.

    pytest -n0 tests/storm                 the short form, part of `make test`
    STORM=full pytest -n0 -s tests/storm   `make storm`: three storms (STORM_SEEDS), and a run without a fault
"""
