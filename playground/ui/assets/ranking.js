// "rank them…": the letters of the vote bar, clicked or pressed in order, become a choice such as b>a=c.
//
// While ranking, a click on a letter is taken here and does not vote. Keys of letters are clicks on them (`keys.js`).
// Save presses #vote-order, whose event takes the choice from here.
(() => {
  "use strict";
  const { typing, letter } = window.playground;
  const byId = (id) => document.getElementById(id);
  let order = []; // groups of equal sides, best first
  let equal = false; // the next side joins the last group
  let shown = ""; // the battle and revision that is ranked

  const isRanking = () => "ranking" in document.body.dataset;
  const good = () => byId("rank")?.dataset.sides || "";
  const choice = () => order.map((group) => group.join("=")).join(">");
  const isComplete = () => order.flat().length === good().length;

  function start() {
    document.body.dataset.ranking = "";
    [order, equal] = [[], false];
    draw();
    byId("vote-words")?.scrollIntoView({ block: "nearest" });
  }

  function end() {
    if (!isRanking()) return;
    delete document.body.dataset.ranking;
    [order, equal] = [[], false];
    for (const button of document.querySelectorAll(".choice[data-rank]")) delete button.dataset.rank;
    byId("rank")?.focus({ preventScroll: true });
  }

  /** Append a side, or take it out if it has a rank. */
  function take(side) {
    const before = order.flat().length;
    order = order.map((group) => group.filter((other) => other !== side)).filter((group) => group.length);
    if (order.flat().length === before) {
      if (equal && order.length) order.at(-1).push(side);
      else order.push([side]);
    }
    equal = false;
    draw();
  }

  function draw() {
    const words = byId("rank-order");
    if (words) words.textContent = (choice() + (equal ? "=" : "")).toUpperCase().replaceAll(">", " > ").replaceAll("=", " = ") || words.dataset.hint;
    for (const side of good()) {
      const place = order.findIndex((group) => group.includes(side));
      const button = byId(`vote-${side}`);
      if (place >= 0) button.dataset.rank = String(place + 1);
      else delete button.dataset.rank;
    }
    const [same, save] = [byId("rank-equal"), byId("rank-save")];
    if (same) {
      same.disabled = !order.length || isComplete();
      same.setAttribute("aria-pressed", String(equal));
    }
    if (save) save.disabled = !isComplete();
  }

  const ACTS = {
    "rank": start,
    "rank-equal": () => { equal = !equal; draw(); },
    "rank-save": () => { if (isComplete()) byId("vote-order")?.click(); },
    "rank-cancel": end,
  };

  function onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const act = target?.closest(".rank")?.id;
    if (act) {
      ACTS[act]?.();
      return;
    }
    const letter = target?.closest("button.choice");
    if (!isRanking() || !letter) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const side = letter.id.replace("vote-", "");
    if (!letter.disabled && good().includes(side)) take(side);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("keys")?.open) return;
    const target = event.target instanceof Element ? event.target : null;
    if (typing(target)) return;
    const begins = !isRanking() && letter(event) === "o";
    const id = begins ? "rank" : isRanking() ? { "=": "rank-equal", Escape: "rank-cancel", Enter: "rank-save" }[event.key] : "";
    const button = id ? byId(id) : null;
    if (!button || button.disabled || !button.getClientRects().length) return;
    if (event.key === "Enter" && target?.closest("button, a, summary")) return; // it presses what has the focus
    event.preventDefault();
    event.stopImmediatePropagation();
    ACTS[id]();
  }

  addEventListener("click", onClick, true); // before whatever keeps votes
  addEventListener("keydown", onKey, true);
  document.addEventListener("battle", ({ detail: news }) => {
    const now = `${news.battle} ${news.revision} ${news.phase}`;
    if (now !== shown) end();
    shown = now;
  });
  window.playground.ranked = choice;
})();
