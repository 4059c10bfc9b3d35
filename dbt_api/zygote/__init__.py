"""The warm engine's processes, which run in dbt's environment and are the only code here that imports dbt.

    server ── root zygote: dbt imported and used once ── manifest zygote: a project parsed ── dbt

A zygote only forks: it holds no thread, no database and no work of its own. When the server's end of its socket closes
it takes no more orders, and ends with the last dbt that it started: as their parent it writes down how they were
killed, as running/shim.py does for a plain command. How they ended by themselves they write down, so that a killed
zygote costs none of them anything. Standard library and dbt only.
"""
