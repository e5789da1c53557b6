"""The script of a list with buttons: it sends presses, and keeps the keyboard's place when the list is drawn again.

Boundary: JavaScript for `js_on_load` of a `gr.HTML`; the buttons carry `data-do` and `data-battle`.
"""

from __future__ import annotations

from string import Template

_PRESSED = Template("""
let place = -1;
const buttons = () => [...element.querySelectorAll("[data-do]")];
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  place = buttons().indexOf(button);
  trigger("click", { do: button.dataset.do, battle: button.dataset.battle });
});
new MutationObserver(() => {
  const link = document.querySelector("#operator-link a[href*=operator]");
  const told = element.querySelector("[data-link]");
  if (link && told && link.textContent !== told.dataset.link) link.textContent = told.dataset.link;
  if (place < 0 || document.activeElement !== document.body) return;
  const left = buttons();
  (left[Math.min(place, left.length - 1)] || document.querySelector("$otherwise"))?.focus();
  place = -1;
}).observe(element, { childList: true, subtree: true });
""")


def presses(otherwise: str) -> str:
    """Return the script; the focus goes to the next button, or to the selector `otherwise` if none is left."""
    return _PRESSED.substitute(otherwise=otherwise)
