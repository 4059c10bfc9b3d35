"""Tells people of failed, recovered and slow runs: channels, messages, and deliveries that happen once."""

from services.notifications.channels import Channel, ChannelKind, channels
from services.notifications.rules import deliveries_of, remove_rule, rules_of, save_rule, send_test

__all__ = [
    "Channel",
    "ChannelKind",
    "channels",
    "deliveries_of",
    "remove_rule",
    "rules_of",
    "save_rule",
    "send_test",
]
