"""The Hugging Face Hub: looking at models, fetching and publishing them.

The only folder that reaches the network. It runs no code of a repository and waits for nothing
longer than it says.
"""

from seq2seq.hub.cache import make_room
from seq2seq.hub.download import ASK_ABOVE, Fetched, cached, fetch, inspect, is_cached
from seq2seq.hub.repository import is_identifier
from seq2seq.hub.upload import upload_files as upload_files

__all__ = [
    "ASK_ABOVE",
    "Fetched",
    "cached",
    "fetch",
    "inspect",
    "is_cached",
    "is_identifier",
    "make_room",
    "upload_files",
]
