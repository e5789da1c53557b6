// The further questions of a study on the Rate page: a row of choices for each, perhaps with a text for the reason.
//
// Digits answer the marked question, which is the first one that is open; then the next one is marked. Answers go with
// the vote. They survive a reload, and come back with an undone vote.
//
// Boundary: draws the rows and reads them; `rate_view.js` places them, `rate.js` sends the answers.
(() => {
  "use strict";
  const DRAFT = "rate draft";
  const byId = (id) => document.getElementById(id);
  const { tab, filled } = window.playground;
  const words = JSON.parse(byId("rate-words").textContent);
  let criteria = []; // as the server asks them
  let marked = null; // the place of the question that digits answer; null: all are answered or passed
  let passed = new Set(); // places of questions that the rater has passed
  let battle = ""; // that is on the screen

  const rows = () => [...document.querySelectorAll("#rate-criteria .criterion")];
  const buttons = (row) => [...row.querySelectorAll("[role=radio]")];
  const answer = (row) => row.querySelector("[aria-checked=true]");
  const field = (row) => row.querySelector("input");

  // Rows

  function set(now) {
    criteria = now;
    byId("rate-criteria").replaceChildren(...criteria.map(rowOf));
    reset("");
  }

  function element(name, className, text = "") {
    return Object.assign(document.createElement(name), { className, textContent: text });
  }

  function rowOf({ id, question, choices, required, reason }, place) {
    const row = element("div", "criterion");
    const title = element("span", "criterion-words", question);
    title.id = `criterion-${place}`;
    if (!required) title.append(" ", element("small", "soft", words.optional));
    const group = element("span", "criterion-choices");
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-labelledby", title.id);
    group.setAttribute("aria-required", String(required));
    group.append(...choices.map(choiceOf));
    row.dataset.criterion = id;
    row.append(title, group);
    if (reason) row.append(reasonOf(question, reason));
    return row;
  }

  function choiceOf({ id, words: text }, place) {
    const button = element("button", "chip-button", text);
    button.type = "button";
    button.dataset.answer = id;
    button.setAttribute("role", "radio");
    button.setAttribute("aria-keyshortcuts", String(place + 1));
    const key = element("kbd", "", String(place + 1));
    key.setAttribute("aria-hidden", "true");
    button.append(key);
    return button;
  }

  function reasonOf(question, reason) {
    const input = element("input", "criterion-reason");
    const isRequired = reason === "required";
    Object.assign(input, { type: "text", maxLength: 500, placeholder: words[isRequired ? "why_required" : "why"], hidden: true });
    input.setAttribute("aria-label", filled(words.reason_for, { question }));
    input.setAttribute("aria-required", String(isRequired));
    return input;
  }

  // Answers

  /** Show the answers of a battle: given ones, or those from before a reload. */
  function reset(of, given) {
    battle = of;
    const draft = tab.read(DRAFT);
    passed = new Set();
    const known = given || (of && draft?.battle === of ? draft.criteria : {});
    for (const row of rows()) {
      const { choice, reason = "" } = known[row.dataset.criterion] || {};
      check(row, buttons(row).find(({ dataset }) => dataset.answer === choice));
      if (field(row)) field(row).value = reason;
    }
    mark(firstOpen());
  }

  function check(row, chosen) {
    for (const button of buttons(row)) {
      button.setAttribute("aria-checked", String(button === chosen));
      button.tabIndex = button === (chosen || buttons(row)[0]) ? 0 : -1;
    }
    if (field(row)) field(row).hidden = !chosen;
  }

  function firstOpen(from = 0) {
    const all = rows();
    const found = all.findIndex((row, place) => place >= from && !answer(row) && !passed.has(place));
    return found < 0 ? null : found;
  }

  /** Mark the question that digits answer, and bring it, or another one, into view where the rows scroll. */
  function mark(place, shown = place) {
    marked = place;
    byId("rate-criteria").toggleAttribute("data-open", place !== null);
    rows().forEach((row, at) => row.toggleAttribute("data-marked", at === place));
    const row = rows()[shown ?? -1];
    const box = byId("rate-criteria");
    if (row) box.scrollTop = row.offsetTop - box.offsetTop;
  }

  /** Return the answers as a vote has them; nothing without criteria. */
  function given() {
    const entries = rows().filter(answer).map((row) => {
      const reason = field(row)?.value.trim();
      return [row.dataset.criterion, { choice: answer(row).dataset.answer, ...(reason ? { reason } : {}) }];
    });
    return criteria.length ? { criteria: Object.fromEntries(entries) } : {};
  }

  const keep = () => tab.write(DRAFT, { battle, ...given() });

  const lacksReason = (place) => criteria[place].reason === "required" && Boolean(answer(rows()[place])) && !field(rows()[place]).value.trim();

  /** Return what has to be answered before the vote, in words, and mark it; "" if nothing is missing. */
  function missing() {
    const all = rows();
    const lacks = criteria.findIndex(({ required }, place) => (required && !answer(all[place])) || lacksReason(place));
    if (lacks < 0) return "";
    mark(lacks);
    const isAnswered = Boolean(answer(all[lacks]));
    if (isAnswered) field(all[lacks]).focus();
    return filled(words[isAnswered ? "reason" : "criterion"], { question: criteria[lacks].question });
  }

  /** Choose an answer; one that is not needed is taken back by choosing it again. */
  function choose(button, mayToggle = true) {
    const row = button.closest(".criterion");
    const place = rows().indexOf(row);
    const isOff = mayToggle && !criteria[place].required && answer(row) === button;
    check(row, isOff ? undefined : button);
    keep();
    const next = isOff ? place : firstOpen(place + 1) ?? firstOpen();
    mark(next, lacksReason(place) ? place : next);
  }

  /** Answer the marked question by its number from 1 on, pass it with 0; return whether one is marked. */
  function answerBy(digit) {
    if (marked === null) return false;
    const [place, row] = [marked, rows()[marked]];
    const button = buttons(row)[digit - 1];
    if (digit === 0) {
      passed.add(place);
      mark(firstOpen(place + 1) ?? firstOpen());
    } else if (button) {
      choose(button, false);
      tell(`${criteria[place].question} ${button.firstChild.textContent}`);
      if (lacksReason(place)) field(row).focus();
    }
    return true;
  }

  /** Mark the question before; return whether there is one. */
  function back() {
    const place = (marked ?? criteria.length) - 1;
    if (place < 0) return false;
    mark(place);
    tell(criteria[place].question);
    return true;
  }

  /** Say to screen readers. */
  const tell = (text) => (byId("rate-next").textContent = text);

  // Clicks and keys inside the rows

  function onClick({ target }) {
    const button = target instanceof Element ? target.closest("#rate-criteria [role=radio]") : null;
    if (button) choose(button);
  }

  const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

  function onKey(event) {
    const { target, key } = event;
    if (!(target instanceof Element) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target.matches(".criterion-reason")) {
      if (key !== "Enter") return;
      byId("answer-a").focus({ preventScroll: true });
    } else if (target.matches("#rate-criteria [role=radio]") && STEPS[key]) {
      const all = buttons(target.closest(".criterion"));
      const by = key.endsWith("t") && getComputedStyle(target).direction === "rtl" ? -STEPS[key] : STEPS[key];
      const next = all[(all.indexOf(target) + by + all.length) % all.length];
      choose(next, false);
      next.focus();
    } else return;
    event.preventDefault();
  }

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", ({ target }) => target.matches?.(".criterion-reason") && mark(marked)); // it may have hidden the next question
  document.addEventListener("input", ({ target }) => target.matches?.(".criterion-reason") && keep());

  window.playground.rateCriteria = { set, reset, given, missing, answerBy, back };
})();
