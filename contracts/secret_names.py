"""Names that look like secrets: such values are refused where they would be stored, and masked where they are shown."""

import re

SECRET_KEY = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key|credential)")
