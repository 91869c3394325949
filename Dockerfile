# One image for web, worker and beat; docker-compose.yml says which is which.
FROM node:22-bookworm-slim AS meter
WORKDIR /app/assets
COPY assets/package.json assets/package-lock.json assets/.npmrc ./
RUN npm ci --ignore-scripts
COPY assets/build.js assets/worker.js ./
COPY accounts/common_passwords.txt /app/accounts/
RUN node build.js

FROM python:3.13-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY manage.py pyproject.toml ./
COPY portal portal
COPY accounts accounts
COPY migration migration
COPY templates templates
COPY static static
COPY --from=meter /app/build/static build/static
# The catalogues and the static files belong to the image; the key and the key ring here are read and thrown away.
RUN /venv/bin/python -m portal.messages compile \
 && PORTAL_SECRET_KEY=build PORTAL_KEY_RING=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0

FROM python:3.13-slim-bookworm
# A volume takes over whose folder it covers.
RUN useradd --system --uid 10001 --home-dir /app umzug && install --directory --owner umzug --mode 0700 /mark
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORTAL_DATA_DIR=/tmp/umzug
USER umzug
EXPOSE 8000
# --worker-tmp-dir: the heartbeat must not wait for a disk. Hashing releases the GIL, so threads share the cores well.
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--max-requests", "5000", "--max-requests-jitter", "500"]
