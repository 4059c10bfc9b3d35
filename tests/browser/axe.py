"""axe-core over a page as the browser shows it: every violation that is ours, in words.

The script comes with the package axe-playwright-python (axe-core 4.12). What Streamlit itself draws wrongly is listed
below with its reason, so that anything new is seen.
"""

from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


@dataclass(frozen=True)
class Known:
    """A violation in Streamlit's own markup, which no option of ours changes."""

    rule: str
    markup: str
    """What the offending element's HTML or selector holds."""
    reason: str


STREAMLITS_OWN = (
    Known(
        "color-contrast",
        'data-selected="true"',
        "dark: pills and segments write in the primary colour, which must be dark enough for white text on buttons; "
        "fill and border say the same",
    ),
    Known("color-contrast", 'class="token', "st.code's colours for SQL"),
)

_OF_A_DISABLED_WIDGET = """(selector) => {
  const widget = document.querySelector(selector)?.closest("[data-testid='stElementContainer']");
  const controls = [...(widget?.querySelectorAll("input, textarea, select, button") ?? [])];
  return controls.length > 0 && controls.every((control) => control.matches(":disabled"));
}"""
"""Disabled text is exempt. axe does not see that of a label which Streamlit hides from it, beside the control."""


def violations(page: Page) -> list[str]:
    """What axe finds on the page and is ours to mend: rule, element, what is wrong.

    A part that is being drawn anew is pale for a moment, so what is found is looked at again a little later.
    """
    found = _look(page)
    for _ in range(3):
        if not found:
            break
        page.wait_for_timeout(1_500)
        found = [each for each in _look(page) if each in found]
    return found


def _look(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {_where(node)}: {_told(node)}"
        for violation in found
        for node in violation["nodes"]
        if not _is_known(violation["id"], node) and not _is_disabled(page, violation["id"], node)
    ]


def _is_known(rule: str, node: dict[str, Any]) -> bool:
    return any(known.rule == rule and known.markup in f"{_where(node)} {node['html']}" for known in STREAMLITS_OWN)


def _is_disabled(page: Page, rule: str, node: dict[str, Any]) -> bool:
    selector = node["target"][0]
    return (
        rule == "color-contrast" and isinstance(selector, str) and bool(page.evaluate(_OF_A_DISABLED_WIDGET, selector))
    )


def _where(node: dict[str, Any]) -> str:
    return " ".join(part if isinstance(part, str) else " ".join(part) for part in node["target"])


def _told(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return f"{'; '.join(check['message'] for check in checks)} [{node['html'][:200]}]"
