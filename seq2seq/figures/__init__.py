"""Pictures of a Trace: pure functions to plotly figures. Same Trace, equal figure.

Blue is what comes from the source (attention), amber what is said of the output (probability).
"""

from seq2seq.figures.bars import (
    alternatives,
    alternatives_csv,
    copying,
    copying_csv,
    probabilities,
    probabilities_csv,
)
from seq2seq.figures.blocks import blocks, blocks_csv
from seq2seq.figures.curves import curves, curves_csv
from seq2seq.figures.heatmap import attention, attention_csv
from seq2seq.figures.map import agreements, agreements_csv, map_csv, sentence_map, trajectories
from seq2seq.figures.multiples import multiples, multiples_csv
from seq2seq.figures.ribbons import ribbons, ribbons_csv
from seq2seq.figures.sound import speech, speech_csv
from seq2seq.figures.states import states, states_csv
from seq2seq.figures.strip import context, context_csv
from seq2seq.figures.tree import beam_tree, beam_tree_csv
from seq2seq.figures.turns import (
    turn_attention,
    turn_attention_csv,
    turn_colours,
    turn_worth,
    turn_worth_csv,
)

__all__ = [
    "agreements",
    "agreements_csv",
    "alternatives",
    "alternatives_csv",
    "attention",
    "attention_csv",
    "beam_tree",
    "beam_tree_csv",
    "blocks",
    "blocks_csv",
    "context",
    "context_csv",
    "copying",
    "copying_csv",
    "curves",
    "curves_csv",
    "map_csv",
    "multiples",
    "multiples_csv",
    "probabilities",
    "probabilities_csv",
    "ribbons",
    "ribbons_csv",
    "sentence_map",
    "speech",
    "speech_csv",
    "states",
    "states_csv",
    "trajectories",
    "turn_attention",
    "turn_attention_csv",
    "turn_colours",
    "turn_worth",
    "turn_worth_csv",
]
