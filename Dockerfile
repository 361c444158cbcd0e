# One image for web, worker, beat and migrations; docker-compose.yml says which is which.

FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gettext
WORKDIR /srv/app
RUN python -m venv /srv/venv
COPY requirements/runtime.txt requirements/
RUN /srv/venv/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY . .
RUN /srv/venv/bin/django-admin compilemessages
# The settings ask for everything at start, so they get values that are good for this one command and kept nowhere.
RUN SECRET_KEY="$(/srv/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    VAULT_KEYSET="$(/srv/venv/bin/python manage.py new_keyset)" \
    DATABASE_URL=postgres://localhost/build REDIS_URL=redis://localhost SMTP_URL=smtp://localhost CLAMAV_URL=none \
    PUBLIC_URL=http://localhost ALLOWED_HOSTS=localhost MAIL_DOMAIN=example.org MAIL_FROM=build@example.org \
    PRIVATE_FILES=/tmp STATIC_ROOT=/srv/static \
    /srv/venv/bin/python manage.py collectstatic --no-input

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin presessions \
    && install --directory --mode 700 --owner presessions --group presessions /srv/private /srv/journal
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
# No access log: the paths of personal links are secrets.
CMD ["gunicorn", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=16", \
     "--worker-tmp-dir=/dev/shm", "--no-control-socket", "presessions.wsgi"]
