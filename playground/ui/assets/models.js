// The Models page: put states into their cards, and keep the focus when the cards are drawn again.
(() => {
  "use strict";
  const TOLD = ["data-model", "data-state", "data-do", "data-action", "data-label", "data-checked"]; // Gradio draws in place
  let pressed = "";

  const list = () => document.getElementById("models-list");
  const cardOf = (id) => list()?.querySelector(`.model[data-model="${CSS.escape(id)}"]`);

  function say(element, words) {
    if (element && element.textContent !== words) element.textContent = words;
  }

  function set(element, name, value) {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  function place(told) {
    const card = cardOf(told.dataset.model);
    if (!card) return;
    const button = card.querySelector("[data-do]");
    set(card, "data-state", told.dataset.state);
    say(card.querySelector(".state"), told.textContent);
    say(card.querySelector(".checked"), told.dataset.checked);
    say(button, told.dataset.action);
    set(button, "data-do", told.dataset.do);
    set(button, "aria-label", told.dataset.label);
  }

  function look() {
    if (!list()) return;
    for (const told of document.querySelectorAll("#models-states [data-model]")) place(told);
    if (pressed && document.activeElement === document.body) cardOf(pressed)?.querySelector("[data-do]")?.focus();
  }

  document.addEventListener("click", (event) => {
    pressed = event.target.closest?.("#models-list [data-do]")?.dataset.model || "";
  }, true);
  let waiting = 0;
  new MutationObserver(() => {
    waiting ||= setTimeout(() => { waiting = 0; look(); }, 30);
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributeFilter: TOLD });
})();
