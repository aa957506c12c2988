# Attention Atlas on a CPU. The steps are the Makefile's, so that they cannot drift.
FROM python:3.12-slim

RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home atlas
USER atlas
WORKDIR /home/atlas/attention-atlas
ENV ATLAS_CACHE=/home/atlas/cache PIP_NO_CACHE_DIR=1

COPY --chown=atlas . .
RUN make install

ARG MODEL=minilm
RUN make model MODEL=$MODEL

ENV ATLAS_HOST=0.0.0.0 PATH=/home/atlas/attention-atlas/.venv/bin:$PATH
EXPOSE 8000
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4).close()"]
CMD ["attention-atlas", "serve"]
