"""The review: Streamlit pages over a run folder. Imports xray and the manifest schema, never torch."""
