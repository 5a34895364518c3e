# A Hugging Face Space: in the README's front matter, `sdk: docker` and `app_port: 8501`.
FROM python:3.11-slim

# Spaces run containers as this user, who can read the application's files and not write them.
RUN useradd --create-home --uid 1000 user
WORKDIR /app

# A Space is shown in an iframe of another site, where the browser withholds the cookie that Streamlit's
# XSRF check of uploads relies on: with the check on, every upload and recording is refused.
ENV PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    SEQ2SEQ_HOSTED=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501 \
    STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false

# The CPU build keeps several GB of CUDA libraries out. For a Space with a GPU, build with
# TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.lock constraints.txt ./
# All but torch has to be what `make lock` has seen, byte for byte.
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock \
    && pip install --no-cache-dir "$(grep '^torch==' constraints.txt)" --index-url "$TORCH_INDEX"

COPY . .
RUN python -m compileall -q app.py pages seq2seq ui
USER user
EXPOSE 8501

# Until app.py has run once, Streamlit does not know the menu, and a visitor who comes by a link to one of
# the pages meets a false "page not found". So the first run happens here, as soon as the server answers
# (Spaces ignore HEALTHCHECK); it is tried for a minute at most.
CMD for try in $(seq 60); do \
        sleep 1; \
        python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/script-health-check', timeout=60)" \
            2>/dev/null && break; \
    done & \
    exec streamlit run app.py
