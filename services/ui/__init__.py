"""The only part of services that draws: everything that more than one page needs of Streamlit."""
