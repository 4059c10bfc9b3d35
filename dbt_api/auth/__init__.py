"""Who may do what: login, tokens, scopes."""
