# crossfade as a container: no shell is needed to run it, no build tool is in it, nothing but /var/lib/crossfade is written.
#   docker build -t crossfade .
#   docker run --read-only --tmpfs /tmp -v ./crossfade.toml:/etc/crossfade/crossfade.toml:ro -v state:/var/lib/crossfade \
#     -p 8080:8080 crossfade

ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/postgresql.txt requirements/build.txt requirements/
RUN python -m venv --without-pip /opt/crossfade
RUN python -m pip --python /opt/crossfade/bin/python install --require-hashes -r requirements/postgresql.txt
RUN python -m venv /opt/build && /opt/build/bin/python -m pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md ./
COPY proxy proxy
COPY mappings mappings
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels .
RUN python -m pip --python /opt/crossfade/bin/python install --no-deps --no-index --find-links /opt/build/wheels crossfade
RUN /opt/crossfade/bin/python -m compileall -q /opt/crossfade/lib

FROM python:${PYTHON}
RUN python -m pip uninstall --yes --quiet pip setuptools wheel
COPY --from=build /opt/crossfade /opt/crossfade
RUN mkdir -p /etc/crossfade /var/lib/crossfade && chown 65532:65532 /var/lib/crossfade
ENV PATH=/opt/crossfade/bin:${PATH} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Reachable from outside the container; what is kept goes to the volume. The admin listener stays on loopback until the
# configuration gives it a token.
ENV CROSSFADE__SERVER__HOST=0.0.0.0 \
    CROSSFADE__IDENTITY__KEY_FILE=/var/lib/crossfade/identity.key \
    CROSSFADE__JOURNAL__PATH=/var/lib/crossfade/crossfade.journal \
    CROSSFADE__STORE__URL=sqlite:////var/lib/crossfade/crossfade.db
WORKDIR /etc/crossfade
VOLUME /var/lib/crossfade
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["crossfade", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["crossfade"]
CMD ["serve"]
