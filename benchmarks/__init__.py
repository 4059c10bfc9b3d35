"""What we claim about speed, measured against what a user would otherwise do."""
