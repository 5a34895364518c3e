"""The menu: order, titles and icons of the pages. Holds nothing that a page needs."""

import streamlit as st

import ui

# Drawn here because Streamlit fetches its own icons for a tab from another site.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#1f5fa8"/>
<path d="M7 11h12l-4-4m4 4-4 4M25 21H13l4-4m-4 4 4 4" fill="none" stroke="#fff" stroke-width="2.6"
stroke-linecap="round" stroke-linejoin="round"/></svg>"""

st.set_page_config(page_title="Seq2Seq Explorer", page_icon=ICON, layout="wide")
ui.warm_up()
ui.show_menu(
    {
        "": [
            st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
        ],
        "Learn": [
            st.Page("pages/learn.py", title="Course", icon=":material/school:"),
            st.Page("pages/glossary.py", title="Glossary", icon=":material/menu_book:"),
            st.Page("pages/training.py", title="Training lab", icon=":material/model_training:"),
        ],
        "Tasks": [
            st.Page("pages/translation.py", title="Translation", icon=":material/translate:"),
            st.Page("pages/summarization.py", title="Summarization", icon=":material/summarize:"),
            st.Page("pages/chatbot.py", title="Chatbot", icon=":material/forum:"),
            st.Page("pages/speech.py", title="Speech to text", icon=":material/mic:"),
            st.Page("pages/pronunciation.py", title="Pronunciation", icon=":material/spellcheck:"),
            st.Page("pages/forecasting.py", title="Forecasting", icon=":material/timeline:"),
        ],
        "Look inside": [
            st.Page("pages/compare.py", title="Compare architectures", icon=":material/flag:"),
            st.Page("pages/context_vector.py", title="Context vector", icon=":material/science:"),
            st.Page("pages/sentence_map.py", title="Sentence map", icon=":material/scatter_plot:"),
            st.Page("pages/benchmarks.py", title="Benchmarks", icon=":material/query_stats:"),
        ],
        "Models": [
            st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
        ],
    },
    moved={
        "spelling": "pages/pronunciation.py",
        "race": "pages/compare.py",
        "lab": "pages/context_vector.py",
        "map": "pages/sentence_map.py",
        "measured": "pages/benchmarks.py",
    },
)
