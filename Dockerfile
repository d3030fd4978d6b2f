# The playground with CPU PyTorch:   docker build -t playground .
# with CUDA (PyPI's own Linux build): docker build -t playground --build-arg TORCH_INDEX=https://pypi.org/simple .

FROM node:24-slim AS page
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
COPY backend/playground/i18n/ ../backend/playground/i18n/
RUN npm run build

FROM python:3.11-slim AS package
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/playground
COPY constraints.txt ./
# torch by itself first: the largest layer changes only with its pin.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN /opt/playground/bin/pip install -c constraints.txt --extra-index-url "$TORCH_INDEX" torch numpy
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY backend/ backend/
# Without frontend/ here, the build hook takes this page as it is.
COPY --from=page /src/backend/playground/web/static/ backend/playground/web/static/
RUN /opt/playground/bin/pip install -c constraints.txt '.[postgresql]'

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 playground
COPY --from=package /opt/playground /opt/playground
ENV PATH=/opt/playground/bin:$PATH PYTHONUNBUFFERED=1
USER playground
WORKDIR /home/playground
RUN mkdir .cache data
ENV PLAYGROUND_DATABASE=/home/playground/data/playground.db
VOLUME /home/playground/data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["playground", "serve", "--host", "0.0.0.0", "--port", "8000"]
