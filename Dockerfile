# The service alone: PostgreSQL and a Redis-protocol server are given (see compose.yaml).
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 labelyard
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --chown=root:root . .
RUN install -d -o labelyard -g labelyard /var/lib/labelyard
ENV PATH=/opt/venv/bin:$PATH DJANGO_SETTINGS_MODULE=config.settings LABELYARD_HOME=/var/lib/labelyard \
    PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
USER labelyard
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/v1/health/', timeout=4)"]
CMD ["gunicorn", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=8", "--no-control-socket", "config.wsgi:application"]
