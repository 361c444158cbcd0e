# One image for web, worker, beat, watch and migrations; docker-compose.yml says which is which.

FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gettext
WORKDIR /srv/app
# Without pip inside: nothing is installed into an image that runs.
RUN python -m venv --without-pip /srv/venv
# `s3` instead of `runtime` for files in an object store; docs/scaling.md
ARG REQUIREMENTS=runtime
COPY requirements/${REQUIREMENTS}.txt requirements/
RUN pip --python=/srv/venv/bin/python install --no-cache-dir --require-hashes -r requirements/${REQUIREMENTS}.txt
COPY . .
RUN /srv/venv/bin/django-admin compilemessages && /srv/venv/bin/python -m compileall -q manage.py presessions applications missions
# The settings ask for everything at start, so they get values that are good for this one command and kept nowhere.
RUN SECRET_KEY="$(/srv/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    VAULT_KEYSET="$(/srv/venv/bin/python -c 'from presessions.keys import new_keyset; print(new_keyset())')" \
    DATABASE_URL=postgres://build@localhost/build REDIS_URL=redis://localhost SMTP_URL=smtp://localhost \
    PUBLIC_URL=http://localhost ALLOWED_HOSTS=localhost MAIL_DOMAIN=example.org MAIL_FROM=build@example.org \
    CLAMAV_URL=none PRIVATE_FILES=/tmp STATIC_ROOT=/srv/static \
    /srv/venv/bin/python manage.py collectstatic --no-input

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin presessions \
    && install --directory --mode 700 --owner presessions --group presessions /srv/private /srv/journal \
    && pip uninstall --yes --quiet --root-user-action=ignore pip
COPY --from=build /srv/venv /srv/venv
COPY --from=build /srv/static /srv/static
COPY --from=build /srv/app /srv/app
WORKDIR /srv/app
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/srv/static \
    PRIVATE_FILES=/srv/private \
    MAIL_JOURNAL=/srv/journal
USER presessions
EXPOSE 8000
CMD ["gunicorn", "--config=python:presessions.serving"]
