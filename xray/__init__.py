"""The domain of chest radiography: films, reports, findings, scores. No torch, no Streamlit."""

__version__ = "0.1.0"
