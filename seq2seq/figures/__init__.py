"""Pictures of a Trace: pure functions to plotly figures. Same Trace, equal figure.

Blue is what comes from the source (attention), amber what is said of the output (probability).
"""

from seq2seq.figures.bars import (
    alternatives,
    alternatives_csv,
    probabilities,
    probabilities_csv,
)
from seq2seq.figures.heatmap import attention, attention_csv
from seq2seq.figures.map import agreements, agreements_csv, map_csv, sentence_map, trajectories

__all__ = [
    "agreements",
    "agreements_csv",
    "alternatives",
    "alternatives_csv",
    "attention",
    "attention_csv",
    "map_csv",
    "probabilities",
    "probabilities_csv",
    "sentence_map",
    "trajectories",
]
