"""The Hub's own terms: its pipeline tags and licence identifiers."""

from __future__ import annotations

# The Hub's name for each task; it knows no chatbot and no spelling.
PIPELINE_TAGS = {
    "translation": "translation",
    "summarization": "summarization",
    "chatbot": "text-generation",
    "speech": "automatic-speech-recognition",
    "spelling": "text-generation",
    "forecasting": "time-series-forecasting",
}
# What the Hub takes as a licence (huggingface.co/docs/hub/repositories-licenses), as far as models
# trained on texts come under it; any other is "other" there, with a name.
_LICENCES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause
bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0
cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gfdl gpl
gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by
ofl-1.1 openrail osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib
"""
LICENCES = frozenset(_LICENCES.split())
