// Shortcuts, the battle's address, raw / copy / enlarge, and the countdown. `battle.js` says which battle is shown.
//
// The server decides everything else; this only presses buttons that a visitor could press.
(() => {
  "use strict";
  const SIDES = ["a", "b", "c", "d", "e", "f"];
  const byId = (id) => document.getElementById(id);

  /** Return the button with this id, or inside the block with this id, if it can be pressed. */
  function pressable(id) {
    const found = byId(id);
    const button = found && (found.matches("button") ? found : found.querySelector("button"));
    return button && !button.disabled && button.getClientRects().length ? button : null;
  }

  function press(...ids) {
    const button = ids.map(pressable).find(Boolean);
    if (button) button.click();
    return Boolean(button);
  }

  // Keys

  function typing(target) {
    return target instanceof Element &&
      Boolean(target.closest("textarea, select, [contenteditable='true'], [role='listbox'], input:not([type=checkbox]):not([type=radio])"));
  }

  const KEYS = { t: ["vote-tie"], n: ["vote-bad"], u: ["undo"], r: ["reveal"] };
  for (const side of SIDES) KEYS[side] = [`vote-${side}`];

  function onKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const target = event.target;
      if (target instanceof HTMLElement && target.matches("textarea, input")) target.dispatchEvent(new Event("change", { bubbles: true }));
      if (press("compare")) {
        event.preventDefault();
        if (target instanceof HTMLElement) target.blur(); // the next keys vote
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (!press("report-cancel")) press("stop");
      return;
    }
    if (typing(event.target) || event.repeat) return;
    if (event.key === "Enter") {
      if (!(event.target instanceof Element && event.target.closest("button, a, summary, [role=button], input:not([type=checkbox]):not([type=radio])"))) {
        if (press("next-battle", "next")) event.preventDefault();
      }
      return;
    }
    if (event.key.length === 1 && press(...(KEYS[event.key.toLowerCase()] || []))) event.preventDefault();
  }

  // Buttons of a column

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

  // The battle's address, focus and countdown

  const HUB = "https://huggingface.co";
  let battle = "";
  let phase = "";
  let countdown = 0;

  function follow({ detail: news }) {
    const now = news.battle || "";
    if (now !== battle) {
      battle = now;
      remember(battle);
      for (const box of document.querySelectorAll(".side")) {
        unpress(box, "show-raw", "raw");
        unpress(box, "enlarged", "enlarge");
      }
      byId("answers")?.classList.remove("one-wide");
    }
    document.body.dataset.phase = news.phase;
    document.body.dataset.columns = news.columns || "";
    if (phase !== document.body.dataset.phase) {
      const before = phase;
      phase = document.body.dataset.phase;
      const field = byId("instruction")?.querySelector("textarea");
      if (before && phase === "compose") field?.focus();
      if (!before && phase !== "compose" && document.activeElement === field) field?.blur(); // keys vote
    }
    count(news.phase === "voted" ? Number(news.finalIn) : NaN);
  }

  function remember(id) {
    const url = new URL(location.href);
    if ((url.searchParams.get("battle") || "") !== id) {
      if (id) url.searchParams.set("battle", id);
      else url.searchParams.delete("battle");
      history.replaceState(history.state, "", url);
    }
    tellTheHub(url);
  }

  /** On a Space the hub's page frames this one: give it the query, so that its reload brings the battle back. */
  function tellTheHub(url) {
    if (window.parent === window || framing() !== HUB) return;
    const query = new URLSearchParams(url.search);
    for (const name of [...query.keys()]) if (name.startsWith("__")) query.delete(name); // the hub's own
    window.parent.postMessage({ queryString: query.toString() }, HUB);
  }

  /** Return the origin of the page around this one; a message to another one would be an error in the console. */
  function framing() {
    if (location.ancestorOrigins?.length) return location.ancestorOrigins[0];
    return document.referrer ? new URL(document.referrer).origin : "";
  }

  /** Show the seconds until the reveal; the server's clock decides. */
  function count(left) {
    clearInterval(countdown);
    const until = performance.now() + left * 1000;
    const show = () => {
      const rest = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      const button = byId("reveal");
      if (button) Number.isFinite(left) ? (button.dataset.left = ` (${rest})`) : delete button.dataset.left;
      if (!(rest > 0)) clearInterval(countdown);
    };
    show();
    if (Number.isFinite(left)) countdown = setInterval(show, 200);
  }

  // Regions, labels and shortcuts, for which Gradio's components have no arguments

  const SHORTCUTS = { compare: "Control+Enter Meta+Enter", stop: "Escape", "vote-tie": "t", "vote-bad": "n", undo: "u", reveal: "r", "next-battle": "Enter" };
  for (const side of SIDES) SHORTCUTS[`vote-${side}`] = side;

  function set(element, name, value) {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  function label() {
    for (const side of SIDES) {
      const answer = byId(`answer-${side}`);
      if (!answer) continue;
      set(answer, "role", "region");
      set(answer, "aria-label", `Answer ${side.toUpperCase()}`);
      set(answer, "tabindex", "0");
    }
    for (const field of document.querySelectorAll(".raw textarea, .mono textarea")) {
      field.disabled = false; // so that it can be selected and scrolled by keyboard
      field.readOnly = true;
    }
    for (const [id, keys] of Object.entries(SHORTCUTS)) set(byId(id), "aria-keyshortcuts", keys);
  }

  let reporting = false;

  /** Scroll to the report form when it opens, and focus it. */
  function showReport() {
    const field = byId("report-words")?.querySelector("textarea");
    const open = Boolean(field?.getClientRects().length);
    if (open && !reporting) {
      byId("report").scrollIntoView({ block: "center" });
      field.focus({ preventScroll: true });
    }
    reporting = open;
  }

  let begun = false;

  /** Focus the instruction when the page appears; in the frame of another site browsers refuse that with an error. */
  function begin() {
    const field = byId("instruction")?.querySelector("textarea");
    if (begun || !field) return;
    begun = true;
    if (window.parent === window && document.activeElement === document.body && (phase || "compose") === "compose") field.focus({ preventScroll: true });
  }

  /** Update after every change of the page: Gradio may replace elements. */
  function look() {
    label();
    begin();
    showReport();
  }

  function watch() {
    let waiting = 0;
    new MutationObserver(() => {
      waiting ||= setTimeout(() => { waiting = 0; look(); }, 60);
    }).observe(document.documentElement, { childList: true, subtree: true });
    look();
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("battle", follow);
  watch();
})();
