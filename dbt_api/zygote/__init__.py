"""The warm engine's processes, which run in dbt's environment and are the only code here that imports dbt.

    server ── root zygote: dbt imported and used once ── manifest zygote: a project parsed ── shim ── dbt

A zygote only forks: it holds no thread, no database and no work of its own, and it ends when the server's end of its
socket closes. What it forked belongs to nobody (see running/shim.py) and goes on. Standard library and dbt only.
"""
