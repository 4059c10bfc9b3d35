"""Use cases and the outside systems. Only `services.ui` imports Streamlit."""
