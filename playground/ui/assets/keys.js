// Shortcuts, focus, and the countdown. `battle.js` says which battle is shown.
//
// The server decides everything else; this only presses buttons that a visitor could press.
(() => {
  "use strict";
  const SIDES = ["a", "b", "c", "d", "e", "f"];
  const byId = (id) => document.getElementById(id);

  /** Return the button with this id, or inside the block with this id, if it can be pressed. */
  function pressable(id) {
    const found = byId(id);
    const button = found && (found.matches("button") ? found : found.querySelector("button, [data-going]"));
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

  const KEYS = {
    t: ["vote-tie"], n: ["vote-bad"], u: ["undo", "undo-last"], r: ["reveal"], s: ["surprise", "skip"], g: ["keep-going"],
  };
  for (const side of SIDES) KEYS[side] = [`vote-${side}`];
  KEYS.d.push("rate-differs"); // the Rate page has two answers

  /** Return the key; on a layout without Latin letters the letter that stands on the key elsewhere. */
  function letter({ key, code }) {
    if (key.length !== 1) return "";
    const isForeign = /\p{L}/u.test(key) && !/\p{Script=Latin}/u.test(key);
    return (isForeign ? /^Key([A-Z])$/.exec(code)?.[1] || "" : key).toLowerCase();
  }

  function onKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const list = byId("keys");
    if (list?.open && event.key !== "?") return; // it has the keyboard, and closes by Escape
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) compare(event);
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "Escape") leave(event);
    else if (isEmptyInstruction(event.target)) begin(event);
    else if (!typing(event.target) && !event.repeat && (event.key === "?" || document.body.dataset.keys !== "off")) act(event);
  }

  function compare(event) {
    const target = event.target;
    if (target instanceof HTMLElement && target.matches("textarea, input")) target.dispatchEvent(new Event("change", { bubbles: true }));
    if (!press("compare")) return;
    event.preventDefault();
    if (target instanceof HTMLElement) target.blur(); // the next keys vote
  }

  /** Return whether this is the empty field of the instruction, in which few keys begin a text. */
  function isEmptyInstruction(target) {
    return target instanceof Element && target.matches("#instruction textarea") && !target.value;
  }

  /** Take Enter and "?" in the empty field, which has the focus after each battle; everything else is typed. */
  function begin(event) {
    if (event.repeat || event.shiftKey && event.key === "Enter") return;
    if (event.key === "?") showKeys();
    else if (event.key !== "Enter" || !(goOn() || press("surprise"))) return;
    event.preventDefault();
  }

  /** Leave what is open or being done, the field at last. */
  function leave(event) {
    if (press("report-cancel") || press("stop")) return;
    if (typing(event.target)) event.target.blur();
  }

  function act(event) {
    if (event.key === "Enter") {
      const isPressed = event.target instanceof Element && event.target.closest("button, a, summary, [role=button], input:not([type=checkbox]):not([type=radio])");
      if (!isPressed && (press("next-battle", "next", "join") || goOn())) event.preventDefault();
    } else if (event.key === "?") {
      event.preventDefault();
      showKeys();
    } else if (press(...meant(event))) event.preventDefault();
  }

  /** Return the buttons that a key presses; with Shift first those that say "much". */
  function meant(event) {
    const ids = KEYS[letter(event)] || [];
    return event.shiftKey ? [...ids.map((id) => `${id}-much`), ...ids] : ids;
  }

  /** Start a starter from a page without a battle that could go on, if the rater keeps going and has typed nothing. */
  function goOn() {
    const typed = byId("instruction")?.querySelector("textarea")?.value.trim();
    if (!window.playground.isGoing?.() || !(phase === "void" || (phase === "compose" && !typed))) return false;
    byId("go-on")?.click();
    return true;
  }

  function showKeys() {
    const list = byId("keys");
    if (list?.open) list.close();
    else list?.showModal();
  }

  // Focus and countdown

  const isTouched = matchMedia("(pointer: coarse)").matches; // a focus would open the keyboard, or frame an answer as if it were chosen
  const mayFocus = window.parent === window && !isTouched; // in the frame of another site browsers refuse it with an error
  let battle = "";
  let phase = "";
  let landing = ""; // the battle that came with the address: its answers get the focus once they are drawn
  let countdown = 0;

  function follow({ detail: news }) {
    const now = news.battle || "";
    if (now !== battle) {
      battle = now;
      if (Number(news.step) === 0) landing = battle;
    }
    document.body.dataset.phase = news.phase;
    document.body.dataset.columns = news.columns || "";
    if (phase !== news.phase) {
      if (phase && news.phase === "compose" && !isTouched) byId("instruction")?.querySelector("textarea")?.focus();
      phase = news.phase;
    }
    land();
    count(news.phase === "voted" ? Number(news.finalIn) : NaN);
  }

  /** Focus the answers of a battle that came with the address, unless something is being typed already. */
  function land() {
    const answer = byId("answer-a");
    if (!landing || landing !== battle || !answer?.getClientRects().length) return;
    landing = "";
    if (mayFocus && (!typing(document.activeElement) || !document.activeElement.value)) answer.focus({ preventScroll: true });
  }

  /** Show the seconds until the reveal; the server's clock decides. */
  function count(left) {
    clearInterval(countdown);
    const until = performance.now() + left * 1000;
    const show = () => {
      const rest = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      const button = byId("reveal");
      if (button) Number.isFinite(left) ? (button.dataset.left = ` (${rest} s)`) : delete button.dataset.left;
      if (!(rest > 0)) clearInterval(countdown);
    };
    show();
    if (Number.isFinite(left)) countdown = setInterval(show, 200);
  }

  // Regions, labels and shortcuts, for which Gradio's components have no arguments

  const SHORTCUTS = {
    compare: "Control+Enter Meta+Enter", stop: "Escape", "vote-tie": "t", "vote-bad": "n", undo: "u", reveal: "r",
    "next-battle": "Enter", join: "Enter", surprise: "s", skip: "s",
  };
  for (const side of SIDES) Object.assign(SHORTCUTS, { [`vote-${side}`]: side, [`vote-${side}-much`]: `Shift+${side.toUpperCase()}` });

  const SCROLLED = ".answer :is(pre, table, .katex-display), #vote-hint div:not(:has(a, button))";
  const LABELS = JSON.parse(byId("answer-words").textContent);

  function set(element, name, value) {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  function label() {
    for (const side of SIDES) {
      const answer = byId(`answer-${side}`);
      if (!answer) continue;
      set(answer, "role", "region");
      set(answer, "aria-label", LABELS[side]);
      set(answer, "tabindex", "0");
    }
    for (const field of document.querySelectorAll(".raw textarea, .mono textarea")) {
      field.disabled = false; // so that it can be selected and scrolled by keyboard
      field.readOnly = true;
    }
    for (const group of document.querySelectorAll("fieldset")) {
      const [first, ...others] = group.querySelectorAll("input[type=radio]");
      for (const radio of others) set(radio, "name", first.name); // Gradio names each apart: a tab stop for each, no arrow keys
    }
    for (const [id, keys] of Object.entries(SHORTCUTS)) set(byId(id), "aria-keyshortcuts", keys);
  }

  /** Make what scrolls by itself a tab stop, so that it scrolls by keyboard too. */
  function reach() {
    for (const box of document.querySelectorAll(SCROLLED)) {
      if (box.scrollWidth > box.clientWidth) set(box, "tabindex", "0");
      else box.removeAttribute("tabindex");
    }
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

  let arrived = false;

  /** Focus the instruction when the page appears, unless its address names a battle. */
  function arrive() {
    const field = byId("instruction")?.querySelector("textarea");
    if (arrived || !field) return;
    arrived = true;
    if (mayFocus && document.activeElement === document.body && !window.playground.showing()) field.focus({ preventScroll: true });
  }

  /** Update after every change of the page: Gradio may replace elements. */
  function look() {
    label();
    reach();
    arrive();
    land();
    showReport();
  }

  function watch() {
    let waiting = 0;
    new MutationObserver(() => {
      waiting ||= setTimeout(() => { waiting = 0; look(); }, 60);
    }).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributeFilter: ["name"] });
    addEventListener("resize", reach);
    look();
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-tool=keys]")) showKeys();
  });
  document.addEventListener("battle", follow);
  Object.assign(window.playground, { typing, letter, press });
  watch();
})();
