# Everything people do here, one line each; `make` alone lists it. Needs Python 3.11 or 3.12 and nothing else.

SUITABLE = import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 12)])
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do $$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
READY := .venv/.installed $(MESSAGES)
TEST := env -u PYTHONDONTWRITEBYTECODE .venv/bin/pytest -q# to compile 60,000 lines anew takes each worker ten seconds
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: help run code test lint e2e audit pictures storm fresh bench rush lock messages demo-reset

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' Makefile | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

run: $(READY) ## the application with a demonstration in it, on http://localhost:8000 (PORT=8123 make run)
	@exec .venv/bin/python -m presessions.run

code: $(READY) ## the six digits that log the demonstration's staff in, now
	@.venv/bin/python -m presessions.run --code

test: $(READY) ## every test but the browser journeys, the short storm last
	$(TEST) -n auto --dist loadfile --no-loadscope-reorder
	$(TEST) -n0 tests/storm

lint: $(READY) ## style, templates, missing migrations, Django's own checks
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djlint --quiet --lint templates presessions/templates
	.venv/bin/python -m presessions.devservers manage.py makemigrations --check --dry-run
	.venv/bin/python -m presessions.devservers manage.py check --fail-level WARNING

e2e: $(READY) ## the journeys in a real browser, beside a real IMAP server and a real proxy
	@test -x "$(CHROMIUM)" || { echo 'The browser journeys need Chromium: install it (Debian: apt-get install chromium), or name it: make e2e CHROMIUM=/path/to/chromium'; exit 1; }
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v dovecot >/dev/null || { echo 'The journeys need Dovecot, the IMAP server: install it (Debian: apt-get install dovecot-imapd).'; exit 1; }
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v nginx >/dev/null || { echo 'The journeys need nginx, the proxy: install it (Debian: apt-get install nginx-light).'; exit 1; }
	CHROMIUM="$(CHROMIUM)" .venv/bin/pytest -q -n0 tests/e2e

audit: $(READY) ## whether a weakness is known in anything we depend on (asks osv.dev)
	.venv/bin/python requirements/audit.py

pictures: $(READY) ## the pictures in the README, taken anew from the demonstration
	CHROMIUM="$(CHROMIUM)" .venv/bin/python -m tests.e2e.pictures

storm: $(READY) ## the full storm over mails and uploads, everything killed at random, then restarted one by one (an hour)
	STORM=full .venv/bin/pytest -n0 -s tests/storm tests/promises/test_a1_no_application_is_lost.py \
		tests/promises/test_o4_restarts.py tests/promises/test_o4_restarts_of_the_web.py

fresh: ## a fresh clone, as root and as a plain user: pip and nothing else (TESTS=tests/setup for some of it)
	@TESTS="$(TESTS)" sh tests/setup/fresh.sh

bench: $(READY) ## how fast, on this machine
	.venv/bin/python -m benchmarks

rush: $(READY) ## the last minute before a deadline: 50 files of 20 MB at once beside 20 pages a second (RUSH_SECONDS=600)
	.venv/bin/python -m benchmarks rush

lock: .venv/.installed ## write the exact, hashed requirements again
	cd requirements && ../$(LOCK) runtime.in -o runtime.txt && ../$(LOCK) s3.in -o s3.txt && ../$(LOCK) dev.in -o dev.txt

messages: .venv/.installed ## collect the words to translate into locale/ (needs GNU gettext)
	.venv/bin/python -m presessions.devservers manage.py makemessages --extension html,txt,py --ignore .venv --ignore tests --ignore var --add-location file --no-obsolete

demo-reset: .venv/.installed ## forget the demonstration; the next `make run` starts afresh
	.venv/bin/python -m presessions.run --forget

.venv/.installed: requirements/dev.txt
	@test -n "$(PYTHON)" || { echo 'Pre-sessions needs Python 3.11 or 3.12, and none was found. Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12'; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

%.mo: %.po | .venv/.installed
	.venv/bin/pybabel --quiet compile --input-file $< --output-file $@
