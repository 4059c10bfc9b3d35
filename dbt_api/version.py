"""The dbt API's own version."""

VERSION = "1"
