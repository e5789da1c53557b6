// The Rate page on the screen: a battle's texts, what is asked about it, progress, messages; raw, scrolling together.
//
// Boundary: draws what `rate.js` tells it and reads what was chosen; sends nothing. HTML comes from the server, escaped.
(() => {
  "use strict";
  const SIDES = ["a", "b"];
  const PARTS = ["instruction", "input", "system"];
  const MOST_KEYS = 9;
  const SAID_CHARS = 200;
  const GONE_MS = 6000; // until a message disappears
  const SWITCHES = { together: true, raw: false, differs: false, "keys-on": true }; // as they are at first
  const RELEASES = { raw: "differs", differs: "raw" }; // each shows the answers in a way of its own
  const byId = (id) => document.getElementById(id);
  const { browser, filled, rateCriteria: criteria } = window.playground;
  const words = JSON.parse(byId("rate-words").textContent);
  const reasonWords = JSON.parse(byId("reason-words").textContent); // by id
  const small = matchMedia("(max-width: 640px), (max-height: 560px)"); // as in the style sheets
  let asks = { question: "", strength: false, reasons: [], criteria: [] };

  /** Return words with their fields filled in. */
  const say = (name, fields = {}) => filled(words[name], fields);
  const isOn = (name) => browser.read(`rate ${name}`) ?? SWITCHES[name];

  /** Switch on or off; of two that exclude each other the other one goes off. */
  function turn(name, on) {
    browser.write(`rate ${name}`, on);
    if (on && RELEASES[name]) browser.write(`rate ${RELEASES[name]}`, false);
    apply();
  }

  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  // A battle

  function draw(item) {
    for (const name of PARTS) {
      const html = asks.instruction_hidden ? "" : item[name] || "";
      byId(`rate-${name}`).hidden = !html;
      byId(`rate-${name}`).querySelector(".md").innerHTML = html;
    }
    byId("rate-task").hidden = PARTS.every((name) => byId(`rate-${name}`).hidden);
    for (const { side, html, text } of item.sides) drawSide(byId(`column-${side}`), html, text);
    for (const chosen of document.querySelectorAll("#votebar [aria-pressed=true]")) chosen.setAttribute("aria-pressed", "false");
    criteria.reset(item.battle, item.criteria);
    place();
  }

  function drawSide(column, html, text) {
    const answer = column.querySelector(".answer");
    answer.querySelector(".md").innerHTML = html.replace(/[\ufdd0\ufdd1]/g, "$").replace(/[\ufdd2\ufdd3]/g, "$$$$"); // formulas stay as they were written
    answer.querySelector(".plain-text").textContent = text;
    answer.querySelector(".marked").replaceChildren();
    answer.scrollTop = 0;
    const whole = column.querySelector("[data-whole]");
    if (column.classList.contains("uncut")) whole.click(); // folding.js
    column.removeAttribute("data-long");
  }

  /** Put the answers with their differences marked into their columns. */
  function mark(sides) {
    for (const [side, html] of Object.entries(sides)) byId(`answer-${side}`).querySelector(".marked").innerHTML = html;
  }

  /** Tell the style sheet where the answers begin: they may be as high as the window has room below. */
  function measure() {
    document.documentElement.style.setProperty("--rate-top", `${Math.round(byId("answers").getBoundingClientRect().top + scrollY)}px`);
  }

  /** Bring instruction and answers into view; a first visitor reads the note first. */
  function place() {
    const top = byId(byId("rate-task").hidden ? "answers" : "rate-task").getBoundingClientRect().top;
    measure();
    const isFar = small.matches ? byId("rate-note").hidden : top < 0 || top > innerHeight * 0.4;
    if (isFar && Math.abs(top) > 8) scrollTo({ top: scrollY + top - 8, behavior: "instant" });
  }

  /** Focus the answers, where every key of the page works; in the frame of another site browsers refuse it. */
  function focus() {
    if (window.parent === window) byId("answer-a")?.focus({ preventScroll: true });
  }

  // What is asked

  function ask(now) {
    if (JSON.stringify(now) === JSON.stringify(asks)) return;
    asks = { ...asks, ...now };
    if (asks.question) put(byId("vote-words").querySelector("b"), asks.question);
    byId("votebar").toggleAttribute("data-strength", Boolean(asks.strength));
    criteria.set(asks.criteria || []);
    const title = Object.assign(document.createElement("span"), { className: "soft", textContent: say("why") });
    byId("rate-reasons").hidden = !asks.reasons?.length;
    byId("rate-reasons").replaceChildren(title, ...(asks.reasons || []).map(reasonChip));
    rove();
  }

  function pressButton(className, text, data) {
    const button = Object.assign(document.createElement("button"), { type: "button", className, textContent: text });
    Object.assign(button.dataset, data);
    button.setAttribute("aria-pressed", "false");
    return button;
  }

  function reasonChip(reason, place) {
    const chip = pressButton("chip-button", reasonWords[reason] || reason, { reason });
    if (place >= MOST_KEYS) return chip;
    chip.setAttribute("aria-keyshortcuts", String(place + 1));
    chip.append(Object.assign(document.createElement("kbd"), { textContent: String(place + 1) }));
    return chip;
  }

  const pressed = (selector) => [...document.querySelectorAll(`#votebar ${selector}[aria-pressed=true]`)];

  /** Return what was chosen besides the vote itself. */
  function chosen() {
    const reasons = pressed("[data-reason]").map((chip) => chip.dataset.reason);
    return { ...(reasons.length ? { reasons } : {}), ...criteria.given() };
  }

  const choose = (chip) => chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));

  /** Make each toolbar one tab stop: arrow keys go on inside it. */
  function rove() {
    for (const bar of document.querySelectorAll("#rate [role=toolbar]")) {
      bar.querySelectorAll("button").forEach((button, place) => (button.tabIndex = place ? -1 : 0));
    }
  }

  /** Move inside a toolbar; return whether the focus is in one. */
  function step(target, by) {
    const bar = target.closest?.("#rate [role=toolbar]");
    if (!bar) return false;
    const buttons = [...bar.querySelectorAll("button")];
    const next = buttons[(buttons.indexOf(target) + by + buttons.length) % buttons.length];
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
    return true;
  }

  // Progress, messages, ends

  function progress({ done, of, left_s: left }) {
    const minutes = Math.round((left ?? 0) / 60);
    const name = of === null ? "today" : !left || done >= of ? "progress" : minutes ? "left" : "soon";
    put(byId("rate-progress"), of === null && !done ? "" : say(name, { done, of, minutes }));
  }

  /** Show a battle, a message in its place, or the wait for the next one. */
  function show(state, title = "", text = "", mayUndo = false) {
    const wasRating = byId("rate").dataset.state === "rating";
    document.body.dataset.phase = state === "rating" ? "open" : "compose";
    document.body.dataset.columns = "2";
    byId("rate").dataset.state = state;
    byId("votebar").hidden = byId("answers").hidden = state !== "rating";
    if (state !== "rating") byId("rate-task").hidden = true;
    byId("rate-write").hidden = state !== "writing";
    byId("rate-end").hidden = state === "rating" || state === "writing";
    byId("undo-last").hidden = !mayUndo;
    leave(null);
    put(byId("rate-end").querySelector("h2"), title);
    put(byId("rate-end").querySelector("p"), text);
    if (wasRating && state !== "rating" && window.parent === window) byId("rate-end").querySelector("h2").focus({ preventScroll: true });
  }

  /** Show the code and the address that a panel gave for this end; null: nothing. */
  function leave(end) {
    const box = byId("rate-leave");
    box.hidden = !end?.code;
    box.querySelector("a").hidden = !end?.address;
    if (!end?.code) return;
    put(box.querySelector("code"), end.code);
    if (end.address) box.querySelector("a").href = end.address;
  }

  let told = 0;

  /** Show a message above the vote bar for some seconds. */
  function tell(text) {
    clearTimeout(told);
    put(byId("rate-said"), text);
    if (text) told = setTimeout(tell, GONE_MS, "");
  }

  const announceWords = (text) => put(byId("rate-next"), text);
  const announce = (name, item) => put(byId("rate-next"), say(name, { instruction: byId("rate-instruction").innerText.slice(0, SAID_CHARS) || item.battle }));

  // Switches

  function apply() {
    for (const name of Object.keys(SWITCHES)) byId(`rate-${name}`)?.setAttribute("aria-pressed", String(isOn(name)));
    byId("rate")?.classList.toggle("show-plain", isOn("raw"));
    byId("rate")?.classList.toggle("show-marked", isOn("differs"));
    document.body.dataset.keys = isOn("keys-on") ? "on" : "off";
  }

  function onClick({ target }) {
    const button = target instanceof Element ? target.closest("#rate button") : null;
    const name = button?.dataset.switch;
    if (name) {
      turn(name, !isOn(name));
      if (name === "differs") document.dispatchEvent(new CustomEvent("differs"));
    } else if (button?.id === "rate-noted") hideNote();
    else if (button?.matches("[data-reason]")) choose(button);
  }

  function hideNote() {
    if (byId("rate-note").hidden) return;
    browser.write("rate noted", true);
    byId("rate-note").hidden = true;
    place();
  }

  let led = null; // the answer that was scrolled last by the other one

  function onScroll({ target }) {
    const side = SIDES.find((name) => target.id === `answer-${name}`);
    if (!side || !isOn("together")) return;
    const other = byId(`answer-${side === "a" ? "b" : "a"}`);
    const isEcho = led === target;
    led = null;
    const [mine, its] = [target, other].map((box) => box.scrollHeight - box.clientHeight);
    if (isEcho || mine <= 0 || its <= 0) return;
    const top = Math.round((target.scrollTop / mine) * its);
    if (Math.abs(other.scrollTop - top) < 2) return;
    led = other;
    other.scrollTop = top;
  }

  /** Begin once Gradio has drawn the frame. */
  function begin() {
    byId("rate-note").hidden = Boolean(browser.read("rate noted"));
    turn("differs", isOn("differs")); // a browser may have kept both on
    rove();
    document.addEventListener("click", onClick);
    addEventListener("resize", measure);
    document.addEventListener("scroll", onScroll, { capture: true, passive: true });
  }

  window.playground.rateView = { begin, draw, isOn, mark, ask, chosen, choose, step, progress, show, leave, tell, announce, announceWords, focus, hideNote, say };
})();
