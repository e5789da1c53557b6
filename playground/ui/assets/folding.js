// The page's shape while a battle is shown: the composer folds to one line, answers come into view, long ones are cut
// on small screens with "show all". Style sheets decide what each state looks like.
//
// Boundary: reads the events of `battle.js`, and from `recall.js` whether the visitor edits; sends nothing and decides
// nothing about a battle.
(() => {
  "use strict";
  const WATCH_MS = 120;
  const SLACK_PX = 4;
  const byId = (id) => document.getElementById(id);
  let battle = "";
  let phase = "compose";

  // Folding

  function fold(open) {
    document.body.toggleAttribute("data-editing", open);
    document.body.toggleAttribute("data-folded", phase !== "compose" && !open);
  }

  function edit() {
    fold(true);
    const field = byId("instruction")?.querySelector("textarea");
    byId("composer")?.scrollIntoView({ block: "start" });
    field?.focus({ preventScroll: true });
    field?.setSelectionRange(field.value.length, field.value.length);
  }

  function follow({ detail: news }) {
    const isNew = (news.battle || "") !== battle;
    battle = news.battle || "";
    phase = news.phase;
    if (isNew) {
      for (const side of document.querySelectorAll(".side")) uncut(side, false);
      fold(window.playground.isEditing());
    } else fold("editing" in document.body.dataset && phase !== "compose");
    if (phase === "generating" && isNew) requestAnimationFrame(() => requestAnimationFrame(show));
    requestAnimationFrame(measure);
  }

  /** Bring the answers into view, below the folded line, unless most of the window shows them already. */
  function show() {
    const [answers, composer] = [byId("answers"), byId("composer")];
    if (!answers || !composer) return;
    const top = answers.getBoundingClientRect().top;
    if (top > innerHeight * 0.35 || top < 0) scrollTo({ top: scrollY + composer.getBoundingClientRect().top, behavior: "instant" });
  }

  // Heights that the style sheets need

  function height(id) {
    const box = byId(id);
    return box?.getClientRects().length ? box.getBoundingClientRect().height : 0;
  }

  const small = matchMedia("(max-width: 640px), (max-height: 560px)"); // as in the style sheets
  const set = {};

  /** Set a variable of the page if it changed: every change computes all styles anew. */
  function say(name, value) {
    if (set[name] === value) return;
    set[name] = value;
    document.documentElement.style.setProperty(name, value);
  }

  function measure() {
    say("--bar", `${Math.round(height("votebar"))}px`);
    say("--strip", `${small.matches && "folded" in document.body.dataset ? Math.round(height("composer")) : 0}px`);
    if (small.matches) for (const side of document.querySelectorAll(".side")) cut(side);
  }

  // Show all

  function cut(side) {
    const answer = side.querySelector(".block.answer");
    if (!answer || !answer.getClientRects().length) return;
    side.toggleAttribute("data-long", side.classList.contains("uncut") || answer.scrollHeight > answer.clientHeight + SLACK_PX);
  }

  function uncut(side, whole) {
    side.classList.toggle("uncut", whole);
    const button = side.querySelector("[data-whole]");
    if (!button) return;
    button.setAttribute("aria-expanded", String(whole));
    button.textContent = whole ? button.dataset.less : button.dataset.more;
  }

  function onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-edit]")) edit();
    const whole = target?.closest("[data-whole]");
    const side = whole?.closest(".side");
    if (!side) return;
    uncut(side, !side.classList.contains("uncut"));
    if (!side.classList.contains("uncut")) side.scrollIntoView({ block: "start" });
  }

  let waiting = 0;
  new MutationObserver(() => {
    waiting ||= setTimeout(() => { waiting = 0; measure(); }, WATCH_MS);
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });
  addEventListener("resize", measure);
  document.addEventListener("click", onClick);
  document.addEventListener("battle", follow);
})();
