"""What visitors may upload is one number each, and is refused as it arrives."""

import tomllib
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from seq2seq.trace_json import MAX_BYTES
from tests.visit import visit
from ui.runtime import upload_limits

CONFIG = Path(__file__).parent.parent.parent / ".streamlit" / "config.toml"
MEGABYTE = 1024 * 1024


@pytest.fixture
def manager():
    manager = MemoryUploadedFileManager("/upload")
    upload_limits.bound(manager)
    return manager


def add(manager, visitor, number, size=1):
    manager.add_file(visitor, UploadedFileRec(str(number), f"{number}.bin", "", bytes(size)))


def held(manager):
    return sum(len(file.data) for files in manager.file_storage.values() for file in files.values())


def test_a_visitor_uploads_so_many_files(manager):
    for number in range(upload_limits.FILES_UPLOADED):
        add(manager, "one", number)
    add(manager, "one", 0)  # the same again
    with pytest.raises(HTTPException) as raised:
        add(manager, "one", "more")
    assert raised.value.status_code == 413
    add(manager, "two", 0)
    manager.remove_file("one", "0")
    add(manager, "one", "more")


def test_a_visitor_and_all_of_them_upload_so_much(manager, monkeypatch):
    monkeypatch.setattr(upload_limits, "BYTES_UPLOADED", 1_000)
    monkeypatch.setattr(upload_limits, "BYTES_UPLOADED_BY_ALL", 2_500)
    add(manager, "one", 0, 900)
    with pytest.raises(HTTPException):
        add(manager, "one", 1, 200)
    add(manager, "two", 0, 1_000)
    with pytest.raises(HTTPException):
        add(manager, "three", 0, 700)
    assert held(manager) == 1_900
    manager.remove_session_files("two")
    add(manager, "three", 0, 700)


def test_no_field_promises_more_than_the_server_takes(root, monkeypatch):
    size = tomllib.loads(CONFIG.read_text())["server"]["maxUploadSize"]
    monkeypatch.setattr(upload_limits, "file_megabytes", lambda: size)
    monkeypatch.setattr("ui.views.models.file_megabytes", lambda: size)
    for page in ("models", "translation", "speech"):
        for each in visit(page).get("file_uploader"):
            assert each.proto.max_upload_size_mb <= size
    assert size * MEGABYTE >= MAX_BYTES
    assert size * MEGABYTE <= upload_limits.BYTES_UPLOADED
