// The small buttons of answers and cards: raw, enlarge, copy, copy link; letters that lead to an answer.
//
// Boundary: what is on the screen and the clipboard; asks the server for nothing.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  const TOOLS = {
    raw: (side, button) => toggle(byId(`column-${side}`), "show-raw", button),
    enlarge: (side, button) => {
      const box = byId(`column-${side}`);
      for (const other of document.querySelectorAll(".side.enlarged")) if (other !== box) unpress(other, "enlarged", "enlarge");
      toggle(box, "enlarged", button);
      byId("answers")?.classList.toggle("one-wide", Boolean(box?.classList.contains("enlarged")));
    },
    copy: (side, button) => copy(button.dataset.text ?? byId(`raw-${side}`)?.querySelector("textarea")?.value ?? "", button),
    press: (_side, button) => byId(button.dataset.press)?.click(),
    link: (_side, button) => copyLink(button),
  };

  function toggle(box, name, button) {
    if (box) button.setAttribute("aria-pressed", String(box.classList.toggle(name)));
  }

  function unpress(box, name, tool) {
    box.classList.remove(name);
    box.querySelector(`[data-tool=${tool}]`)?.setAttribute("aria-pressed", "false");
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.dataset.done = "yes";
    setTimeout(() => delete button.dataset.done, 1500);
  }

  /** Copy the battle's address, on a Space that of the hub's page, and say so. */
  async function copyLink(button) {
    const { base, copied } = JSON.parse(byId("link-words").textContent);
    const url = new URL(base || location.href.replace(/[?#].*$/, ""));
    url.searchParams.set("battle", button.dataset.battle);
    await copy(url.href, button);
    const said = button.nextElementSibling;
    if (said) said.textContent = ` ${copied}`;
  }

  function onClick(event) {
    const tool = event.target instanceof Element ? event.target.closest("[data-tool]") : null;
    if (tool) TOOLS[tool.dataset.tool]?.(tool.dataset.side, tool);
    const jump = event.target instanceof Element ? event.target.closest("[data-jump]") : null;
    if (jump) {
      event.preventDefault();
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      byId(`column-${jump.dataset.jump}`)?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    }
  }

  /** Show every answer as the page draws it first: another battle has come. */
  function reset() {
    for (const box of document.querySelectorAll(".side")) {
      unpress(box, "show-raw", "raw");
      unpress(box, "enlarged", "enlarge");
    }
    byId("answers")?.classList.remove("one-wide");
  }

  let battle = "";
  document.addEventListener("battle", ({ detail: news }) => {
    if ((news.battle || "") !== battle) reset();
    battle = news.battle || "";
  });
  document.addEventListener("click", onClick);
})();
