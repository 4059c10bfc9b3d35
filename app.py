"""The console: `streamlit run app.py`. Everything around the pages is in services/ui/shell.py.

Streamlit reads this file in two roles. Its server imports it, once, for the web application with routes of ours beside
Streamlit's own: the log viewer's, our components' scripts, and our way into its page. And it runs it, as every script,
for each view of a page.
"""

import streamlit as st

from services.logs.routes import routes
from services.ui import errors, shell
from services.ui.components import script_routes
from services.ui.entry import entry_routes
from services.ui.no_delay import without_delay

if __name__ == "__main__":
    page = shell.enter()
    with errors.guarded():
        page.run()
else:
    base = str(st.get_option("server.baseUrlPath") or "")
    app = st.App(__file__, routes=[*entry_routes(base), *script_routes(base), *routes(base)], lifespan=without_delay)
