# A Hugging Face Space: in the README's front matter, `sdk: docker` and `app_port: 8501`.
FROM python:3.11-slim

# Spaces run containers as this user, who can read the application's files and not write them.
RUN useradd --create-home --uid 1000 user
WORKDIR /app

# A Space is shown in an iframe of another site, where the browser withholds the cookie that Streamlit's
# XSRF check of uploads relies on: with the check on, every upload and recording is refused.
ENV PYTHONUNBUFFERED=1 \
    SEQ2SEQ_HOSTED=1 \
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

# It runs the app once before the first visitor (Spaces ignore HEALTHCHECK), and starts it again if it ends.
CMD ["python", "-m", "seq2seq", "serve", "--address", "0.0.0.0", "--port", "8501"]
