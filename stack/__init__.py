"""Starts, stops and tests the whole of Pilothouse from a bare Python: only the standard library is used here."""
