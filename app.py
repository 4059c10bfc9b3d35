"""The console: `streamlit run app.py`. Everything around the pages is in services/ui/shell.py.

Streamlit reads this file in two roles. Its server imports it, once, for the web application with the log viewer's
routes beside Streamlit's own and our way into its page; and it runs it, as every script, for each view of a page.
"""

import streamlit as st

from services.logs.routes import routes
from services.ui import errors, shell
from services.ui.entry import entry_routes
from services.ui.no_delay import without_delay

if __name__ == "__main__":
    page = shell.enter()
    with errors.guarded():
        page.run()
else:
    base = str(st.get_option("server.baseUrlPath") or "")
    app = st.App(__file__, routes=[*entry_routes(base), *routes(base)], lifespan=without_delay)
