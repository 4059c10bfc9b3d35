"""The outside systems of this process's settings, signed in."""

from services.dbt_api import DbtApi
from services.settings import settings


def dbt_api() -> DbtApi:
    """A client of the dbt API. A missing token is refused by the server, with a message that says so."""
    token = settings().dbt_api_token
    return DbtApi(settings().dbt_api_url, token.get_secret_value() if token else "")
