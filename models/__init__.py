"""The domain: SQLModel tables and value types. No input or output."""
