"""The console: `streamlit run app.py`. Everything around the pages is in services/ui/shell.py."""

from services.ui import errors, shell

page = shell.enter()
with errors.guarded():
    page.run()
