// A sitting on the Rate page: the next battles are loaded ahead, a vote goes out in the background (waiting_votes.js) and
// the next battle is on the screen at once.
//
// ./rate/next reserves battles for this rater; asked again with the same ones it gives the same, so that a reload goes on.
(() => {
  "use strict";
  if (!/\/rate\/?$/.test(location.pathname)) return;
  const AHEAD = 3; // battles that are loaded, the shown one too
  const AGAIN_MS = 2000; // between two attempts to reach the server
  const ANSWERS_MS = 3000; // between two questions whether models have answered
  const PATIENCE_MS = 15000; // for one answer
  const HOLD_MS = 1000; // a vote that is given sooner counts nowhere
  const byId = (id) => document.getElementById(id);
  const now = () => performance.now();
  const { tab, typing, press, cast, takeBack, decided, isWaiting, rateView: view, rateCriteria: criteria, rateWrite: writing } = window.playground;
  const folder = location.pathname.replace(/[^/]*\/?$/, "");

  // The link: a study's key leaves the address, and stays in this tab

  function readLink() {
    const url = new URL(location.href);
    const study = url.searchParams.get("study");
    const kept = `rate key ${study || ""}`;
    const ofPanel = new URLSearchParams(url.hash.slice(1)).get("key"); // whom a panel sent is given it behind the #
    const given = ofPanel ?? url.searchParams.get("key");
    if (given === null) return { study, key: tab.read(kept) };
    tab.write(kept, given);
    url.searchParams.delete("key");
    if (ofPanel !== null) url.hash = "";
    history.replaceState(history.state, "", url);
    return { study, key: given };
  }

  const link = readLink();
  let loaded = []; // battles that were not judged, the shown one first
  let judged = []; // battle and the promise of its vote's answer, the last one at the end
  let skipped = []; // battles that the server has not been told about
  let progress = { done: 0, of: null, left_s: null };
  let why = ""; // there is no further battle, in words
  let isOver = false;
  let panelEnd = null; // the code and the address of a panel, at the end
  let live = null; // what a rater who writes instructions does next
  let notTaken = ""; // why the last instruction was not, in words that the form shows
  let isDrawn = false; // the page's frame
  let shown = null;
  let shownAt = 0;
  let awayMs = 0; // of the time since then, while the tab was hidden
  let isBusy = false; // the last battle is being brought back

  // Requests

  const pause = (ms) => new Promise((go) => {
    setTimeout(go, ms);
    addEventListener("online", go, { once: true });
  });

  /** Return the server's answer; `waits` says when to ask again if there is none now, and `says` why; `refused`: never. */
  async function post(path, body) {
    try {
      const response = await fetch(`${folder}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (response.status === 429) {
        const { error } = await response.json().catch(() => ({})); // a proxy's has no words
        return { waits: Number(response.headers.get("retry-after")) * 1000 || AGAIN_MS, says: error };
      }
      const answer = await response.json();
      if (response.status >= 500) return { waits: AGAIN_MS };
      return response.ok ? answer : { refused: answer.error || answer.detail || "" };
    } catch {
      return { waits: AGAIN_MS, isAway: true };
    }
  }

  let isFilling = false;

  /** Load battles ahead. The server has to know first which ones are done: it would give them again. */
  async function fill() {
    if (isFilling) return;
    isFilling = true;
    try {
      while (loaded.length < AHEAD && !isOver) {
        await decided();
        const before = judged.length;
        const answer = await (skipped.length ? post("rate/skip", { battle: skipped[0] }) : next());
        if (answer.waits) {
          if (answer.isAway) showWait("away");
          await pause(answer.waits);
        } else if (skipped.length) skipped.shift();
        else if (answer.live?.step === "wait") {
          take(answer, judged.length - before);
          await pause(ANSWERS_MS);
        } else if (isJudged(answer.item)) await pause(AGAIN_MS); // it was taken back in another tab, or a vote is being stored
        else take(answer, judged.length - before);
      }
    } finally {
      isFilling = false;
    }
  }

  const isJudged = (item) => Boolean(item) && judged.some((given) => given.item.battle === item.battle);
  const next = () => post("rate/next", { study: link.study, key: link.key, have: loaded.map(({ battle }) => battle) });

  /** Take an answer, during which more votes were given. */
  function take(answer, more) {
    if (answer.refused !== undefined) {
      [isOver, why] = [true, answer.refused];
      if (!shown) end("refused");
      return;
    }
    const { item, why_none: words, asks, gone = [] } = answer;
    const isGone = Boolean(shown) && gone.includes(shown.battle);
    loaded = loaded.filter(({ battle }) => !gone.includes(battle));
    panelEnd = answer.end || null;
    if (item) writing.done();
    live = answer.live || null;
    isOver = !item && live?.step !== "wait";
    why = words || "";
    if (answer.progress) progress = { ...answer.progress, done: answer.progress.done + more };
    whenDrawn(() => {
      view.ask(asks || {});
      view.progress(progress);
    });
    if (item && !loaded.some(({ battle }) => battle === item.battle)) loaded.push(item);
    go();
    if (isGone) view.tell(view.say("gone"));
  }

  // The screen

  let waitingForFrame = [];

  function whenDrawn(act) {
    if (isDrawn) act();
    else waitingForFrame.push(act);
  }

  /** Show the first loaded battle unless it is on the screen, or why there is none. */
  function go(said = "next") {
    const [item] = loaded;
    if (!item && isOver && live) ask();
    else if (!item && isOver) end(panelEnd ? "ended" : progress.done ? "done" : "empty");
    else if (!item) showWait(isWaiting() ? "away" : live?.step === "wait" ? "answering" : "loading");
    else if (item !== shown) whenDrawn(() => open(item, said));
  }

  function open(item, said) {
    if (item === shown || item !== loaded[0]) return; // it was judged while the page was being drawn
    shown = item;
    view.show("rating");
    view.draw(item);
    marked = "";
    markDifferences();
    view.announce(said, item);
    if (judged.length || document.activeElement === document.body) view.focus();
    [shownAt, awayMs] = [now(), 0];
  }

  let marked = ""; // the battle whose differences are on the screen, or asked for

  /** Mark the differences of the battle on the screen, if that is wanted. */
  async function markDifferences() {
    const battle = shown?.battle;
    if (!battle || battle === marked || !view.isOn("differs")) return;
    marked = battle;
    const answer = await post("rate/differences", { battle });
    if (shown?.battle === battle && answer.sides) view.mark(answer.sides);
    else if (marked === battle) marked = ""; // no answer: asked again with the next press
  }

  function showWait(name) {
    if (loaded.length) return;
    shown = null;
    whenDrawn(() => {
      view.show("loading", view.say(name), "", judged.length > 0);
      if (name === "answering") view.announceWords(view.say(name));
    });
  }

  /** Let the rater write an instruction. */
  function ask() {
    shown = null;
    whenDrawn(() => {
      view.show("writing", "", "", false);
      const why = notTaken || live.why_not || "";
      notTaken = "";
      writing.open(why, judged.length > 0, judged.length > 0 || Boolean(why));
    });
  }

  /** Send an instruction until the server has it, or says why it does not take it. */
  async function write({ detail: instruction }) {
    if (!instruction.trim()) return writing.tell(view.say("empty_instruction"));
    writing.tell("");
    writing.lock(true);
    await decided(); // the last vote: whose turn it is follows from it
    const sent = { study: link.study, key: link.key, instruction };
    let answer = await post("rate/write", sent);
    while (answer.waits) {
      writing.tell(answer.says || view.say("not_sent"));
      await pause(answer.waits);
      answer = await post("rate/write", sent);
    }
    if (!answer.accepted) {
      notTaken = answer.refused || "";
      isOver = false;
      return fill(); // the study may be full, or the last instruction be answered
    }
    writing.sent();
    writing.lock(false);
    live = { step: "wait" };
    leave();
  }

  function end(name) {
    shown = null;
    whenDrawn(() => {
      view.show(name, view.say(name), why, judged.length > 0 && !panelEnd); // a panel's outcome is final
      view.leave(panelEnd);
    });
  }

  // Votes

  const isHeld = () => shown && now() - shownAt <= HOLD_MS;
  const mayAct = () => shown && !isBusy && !isHeld();

  function vote(button) {
    if (isHeld()) view.tell(view.say("held"));
    if (!mayAct()) return;
    const missing = criteria.missing();
    view.tell(missing);
    if (missing) return;
    view.hideNote();
    const item = loaded.shift();
    const vote = ballot(item, button);
    item.criteria = vote.criteria; // if it is taken back
    const given = { item, answer: cast(vote) };
    judged.push(given);
    given.answer.then((decision) => {
      if (decision?.accepted === false) forget(given);
      if (decision?.why_not) view.tell(view.say("uncounted", { reason: decision.why_not }));
    });
    progress = { ...progress, done: progress.done + 1 };
    view.progress(progress);
    leave();
  }

  /** Leave out a vote that the server refused: there is nothing to take back. */
  function forget(given) {
    judged = judged.filter((other) => other !== given);
  }

  const CHOICES = { "vote-tie": "tie", "vote-bad": "both_bad" };

  function ballot({ battle, revision }, button) {
    const [, side, much] = /^vote-([ab])(-much)?$/.exec(button.id) || [];
    const asksStrength = byId("votebar").hasAttribute("data-strength");
    return {
      battle,
      choice: side || CHOICES[button.id],
      revision,
      ...(asksStrength && side ? { strength: much ? "much" : "slightly" } : {}),
      ...view.chosen(),
      decision_ms: Math.round(now() - shownAt - awayMs),
    };
  }

  /** Go on to the next battle, and see whether there are more. */
  function leave() {
    isOver = false;
    go();
    fill();
  }

  function skip() {
    if (!mayAct()) return;
    view.tell("");
    view.hideNote();
    skipped.push(loaded.shift().battle);
    leave();
  }

  /** Bring the last battle back: a vote that still waits here is dropped, another is taken back by the server. */
  async function undo() {
    if (isBusy) return;
    const last = judged.at(-1);
    if (!last) return view.tell(view.say("nothing"));
    isBusy = true;
    const kept = takeBack(last.item.battle) ? "" : await withdraw(last);
    isBusy = false;
    if (kept) return view.tell(view.say("kept", { reason: kept }));
    forget(last);
    loaded.unshift(last.item);
    progress = { ...progress, done: Math.max(0, progress.done - 1) };
    view.progress(progress);
    go("back");
    view.focus();
    view.tell(view.say("undone"));
  }

  /** Return why the server keeps a vote, in words; "" if it took it back. */
  async function withdraw({ item, answer }) {
    const saved = await answer;
    if (!saved?.accepted) return saved?.error || "";
    const request = { battle: item.battle, revision: saved.revision };
    let undone = await post("rate/undo", request);
    while (undone.waits) { // it may have been taken back all the same: only the server's answer tells
      view.tell(undone.says || view.say("no_answer"));
      await pause(undone.waits);
      undone = await post("rate/undo", request);
    }
    if (undone.refused !== undefined || undone.accepted === false) return undone.refused || undone.error || "";
    item.revision = undone.revision ?? saved.revision + 1;
    return "";
  }

  // Clicks and keys; the letters press these buttons (keys.js)

  function onClick({ target }) {
    const button = target instanceof Element ? target.closest("#rate button") : null;
    if (!button) return;
    if (button.matches(".choice")) vote(button);
    else if (button.id === "skip") skip();
    else if (["undo", "undo-last", "undo-last-write"].includes(button.id)) undo();
    else if (button.id === "rate-again") leave();
  }

  const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || byId("keys")?.open);
  const scrollsSideways = (target) => { // it needs the arrow keys itself
    const box = target.closest("[tabindex]");
    return Boolean(box && box.scrollWidth > box.clientWidth + 1 && !box.matches(".block.answer"));
  };

  function onKey(event) {
    const { target, key } = event;
    if (!isPlain(event) || event.repeat || !(target instanceof Element) || typing(target)) return;
    const isArrow = key === "ArrowLeft" || key === "ArrowRight";
    if (isArrow && view.step(target, key === "ArrowLeft" ? -1 : 1)) return event.preventDefault();
    if (document.body.dataset.keys === "off") return;
    if (isArrow && !scrollsSideways(target)) {
      const isFirst = (key === "ArrowLeft") === (getComputedStyle(byId("answers")).direction === "ltr");
      const side = isFirst ? "a" : "b";
      if (press(...(event.shiftKey ? [`vote-${side}-much`] : []), `vote-${side}`)) event.preventDefault();
    } else if (key === "Backspace") {
      if (criteria.back()) event.preventDefault();
    } else if (/^[0-9]$/.test(key)) {
      if (criteria.answerBy(Number(key))) return event.preventDefault();
      const chip = document.querySelectorAll("#rate [data-reason]")[Number(key) - 1];
      if (chip) view.choose(chip);
    }
  }

  let hiddenAt = 0;

  function onVisibility() {
    if (document.hidden) hiddenAt = now();
    else awayMs += now() - hiddenAt;
  }

  // Start

  function look() {
    if (isDrawn || !byId("rate-said")) return;
    isDrawn = true;
    watching.disconnect();
    view.begin();
    if (!loaded.length && !isOver) showWait("loading");
    waitingForFrame.splice(0).forEach((act) => act());
  }

  const watching = new MutationObserver(look);
  watching.observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", onVisibility);
  document.addEventListener("differs", markDifferences);
  document.addEventListener("write", write);
  look();
  fill();
})();
