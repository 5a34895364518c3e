"""Pictures of a Trace: pure functions to plotly figures. Same Trace, equal figure.

Blue is what comes from the source (attention), amber what belongs to the output (probability).
"""

from seq2seq.figures.architecture import architecture
from seq2seq.figures.beam_tree import beam_tree, beam_tree_csv
from seq2seq.figures.context_vector import context, context_csv
from seq2seq.figures.curves import XAxis, curves, curves_csv
from seq2seq.figures.dialogue import (
    turn_attention,
    turn_attention_csv,
    turn_colours,
    turn_worth,
    turn_worth_csv,
)
from seq2seq.figures.experiment import experiment, experiment_csv
from seq2seq.figures.forecast import forecast, forecast_csv, value_probabilities
from seq2seq.figures.forecast_path import forecast_path, forecast_path_csv
from seq2seq.figures.head_grid import multiples, multiples_csv
from seq2seq.figures.heatmap import attention, attention_csv, narrow_attention
from seq2seq.figures.prediction import prediction, prediction_csv
from seq2seq.figures.probabilities import (
    alternatives,
    alternatives_csv,
    copying,
    copying_csv,
    probabilities,
    probabilities_csv,
)
from seq2seq.figures.ribbons import ribbons, ribbons_csv
from seq2seq.figures.sentence_blocks import blocks, blocks_csv
from seq2seq.figures.sentence_map import (
    Points,
    agreements,
    agreements_csv,
    map_csv,
    sentence_map,
    trajectories,
)
from seq2seq.figures.speech import speech, speech_csv
from seq2seq.figures.state_trajectories import (
    StatePath,
    paired_trajectories,
    paired_trajectories_csv,
    state_trajectories,
    state_trajectories_csv,
)
from seq2seq.figures.states import states, states_csv
from seq2seq.figures.training import (
    forming_attention,
    gradient_distances,
    gradient_parts,
    learning_curves,
    training_csv,
)

__all__ = [
    "Points",
    "StatePath",
    "XAxis",
    "agreements",
    "agreements_csv",
    "alternatives",
    "alternatives_csv",
    "architecture",
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
    "experiment",
    "experiment_csv",
    "forecast",
    "forecast_csv",
    "forecast_path",
    "forecast_path_csv",
    "forming_attention",
    "gradient_distances",
    "gradient_parts",
    "learning_curves",
    "map_csv",
    "multiples",
    "multiples_csv",
    "narrow_attention",
    "paired_trajectories",
    "paired_trajectories_csv",
    "prediction",
    "prediction_csv",
    "probabilities",
    "probabilities_csv",
    "ribbons",
    "ribbons_csv",
    "sentence_map",
    "speech",
    "speech_csv",
    "state_trajectories",
    "state_trajectories_csv",
    "states",
    "states_csv",
    "training_csv",
    "trajectories",
    "turn_attention",
    "turn_attention_csv",
    "turn_colours",
    "turn_worth",
    "turn_worth_csv",
    "value_probabilities",
]
