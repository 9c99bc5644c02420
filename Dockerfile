# The workers and the command line, without the embedded servers: Kafka, ClickHouse and Redis have their own images.
FROM python:3.11-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir uv && uv venv /opt/recoup
ENV VIRTUAL_ENV=/opt/recoup UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1
COPY requirements/image.txt requirements/image.txt
RUN uv pip sync requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY models models
COPY connectors connectors
COPY streams streams
COPY recoup recoup
RUN uv pip install --no-deps .

FROM python:3.11-slim
# A volume takes its owner from the folder that it is mounted over.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/recoup recoup \
    && install --directory --owner recoup /var/lib/recoup-models
COPY --from=build /opt/recoup /opt/recoup
COPY --chown=root:root config /etc/recoup
ENV PATH=/opt/recoup/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    RECOUP_HOME=/var/lib/recoup \
    RECOUP_TENANTS_DIR=/etc/recoup/tenants \
    RECOUP_TEMPLATES_DIR=/etc/recoup/templates
USER 10001
WORKDIR /var/lib/recoup
STOPSIGNAL SIGTERM
ENTRYPOINT ["recoup"]
CMD ["--help"]
