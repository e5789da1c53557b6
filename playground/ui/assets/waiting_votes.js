// Votes until the server has decided: one that is given while the server is away is kept, and sent once it is back.
//
// A vote is kept from its click to the server's answer: battle, choice and the revision that it was given for, which keeps
// a late or repeated one from becoming a second vote. On Compare Gradio's event sends it first; if that gets no answer, or
// sends nothing because Gradio has given the connection up, it goes to ./vote until that answers. Votes of the Rate page
// go there at once. They are sent one after the other.
(() => {
  "use strict";
  const AGAIN_MS = 2000;
  const PATIENCE_MS = 10000; // for one answer
  const TAKEN_MS = 1000; // until Gradio has sent it
  const MOST_FAILURES = 3; // that the server itself reports, before the vote is given up
  const GONE_MS = 6000; // until a message that all is well disappears
  const KEY = "vote ";
  const CHOICES = { "vote-tie": "tie", "vote-bad": "both_bad" };
  const { browser } = window.playground;
  const folder = location.pathname.replace(/[^/]*$/, "");
  const words = JSON.parse(document.getElementById("vote-note-words").textContent);
  const taken = new Set(); // votes that Gradio has sent, as text
  const sending = new Map(); // battle: the promise of its decision
  const quiet = new Set(); // battles whose votes need no note if all is well
  let line = Promise.resolve(); // until the last vote is decided

  const kept = (battle) => browser.read(KEY + battle);
  const FIELDS = ["battle", "choice", "revision", "strength", "reasons", "criteria", "decision_ms"]; // of ./vote
  const asText = (vote) => JSON.stringify(Object.fromEntries(FIELDS.filter((name) => vote[name] !== undefined).map((name) => [name, vote[name]])));
  const keep = (vote) => browser.write(KEY + vote.battle, { ...vote, at: Date.now() });
  const isKept = (vote) => asText(kept(vote.battle) || {}) === asText(vote);

  function drop(vote) {
    taken.delete(asText(vote));
    if (isKept(vote)) browser.drop(KEY + vote.battle);
  }

  // Clicks

  /** Return the choice that a button votes for, "" if it is no choice; the order of a ranking is in `ranking.js`. */
  function choiceOf(button) {
    if (button.id === "vote-order") return window.playground.ranked();
    return button.matches(".choice") ? CHOICES[button.id] || button.id.replace("vote-", "") : "";
  }

  function onClick(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button && !button.matches(".unseen") && told !== "waiting" && told !== "stays") document.getElementById("vote-note")?.remove();
    const choice = button && !button.disabled ? choiceOf(button) : "";
    const vote = choice ? window.playground.ballot?.(choice) || null : null; // of battle.js, on Compare
    if (!vote) return;
    keep(vote);
    setTimeout(() => isKept(vote) && !taken.has(asText(vote)) && decide(vote.battle), TAKEN_MS);
  }

  // Gradio's requests

  /** Return the kept vote that a request of Gradio's carries, or null. */
  function carried(body) {
    if (typeof body !== "string" || !body.includes('"choice"')) return null;
    const sent = JSON.parse(body).data?.[0];
    const vote = sent?.choice && sent.battle ? kept(sent.battle) : null;
    return vote && asText(vote) === asText(sent) ? vote : null;
  }

  /** Send a request, with `send`, and again when the vote that it carries is decided, if it got no answer. */
  async function carry(vote, send) {
    taken.add(asText(vote));
    const answer = await send().catch(() => null);
    if (answer?.ok) {
      drop(vote);
      return answer;
    }
    await decide(vote.battle);
    return send();
  }

  // ./vote

  /** Send the kept vote of a battle until the server has decided. */
  function decide(battle) {
    if (!sending.has(battle)) {
      const turn = line.then(() => send(battle)).finally(() => sending.delete(battle));
      sending.set(battle, turn);
      line = turn.catch(() => null);
    }
    return sending.get(battle);
  }

  /** Wait, or until the browser is online again. */
  const pause = (ms) => new Promise((go) => {
    setTimeout(go, ms);
    addEventListener("online", go, { once: true });
  });

  /** Return the server's answer; null if the vote was taken back before there was one. */
  async function send(battle) {
    let [failures, decision] = [0, null];
    for (let vote = kept(battle); vote; vote = kept(battle)) {
      const answer = await post(vote);
      failures += answer.failed ? 1 : 0;
      if (answer.waits && failures < MOST_FAILURES) {
        show("waiting", vote);
        await pause(answer.waits);
      } else if (isKept(vote)) { // or else another choice was given meanwhile
        drop(vote);
        say(vote, answer);
        decision = answer;
        document.dispatchEvent(new CustomEvent("decided", { detail: { battle } }));
      }
    }
    return decision;
  }

  /** Send a vote now, without a note if nothing delays it. Return the promise of the server's answer. */
  function cast(vote) {
    keep(vote);
    quiet.add(vote.battle);
    if (told === "waiting") show("waiting", vote);
    return decide(vote.battle);
  }

  /** Wait until the server has decided about every vote. */
  async function decided() {
    for (let last = null; last !== line; ) await (last = line);
  }

  /** Take back a vote that waits for the server. Return whether one did. */
  function takeBack(battle) {
    const vote = told === "waiting" && !underway.has(battle) ? kept(battle) : null;
    if (vote) drop(vote);
    return Boolean(vote);
  }

  const underway = new Set(); // battles whose vote the server may be storing

  async function post(vote) {
    underway.add(vote.battle);
    try {
      const response = await fetch(`${folder}vote`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: asText(vote),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const answer = await response.json();
      if (response.status === 429) return { waits: Number(response.headers.get("retry-after")) * 1000 || AGAIN_MS };
      return response.status < 500 ? answer : { ...answer, waits: AGAIN_MS, failed: true };
    } catch {
      return { waits: AGAIN_MS };
    } finally {
      underway.delete(vote.battle);
    }
  }

  // The note

  let told = "";
  let most = 0; // votes that waited together
  const waiting = () => browser.keys().filter((key) => key.startsWith(KEY)).length;
  const named = (choice) => words[choice] || choice.toUpperCase().replaceAll(">", " > ").replaceAll("=", " = ");

  function say(vote, answer) {
    if (!answer.accepted) show("refused", vote, { reason: answer.error || "" });
    else if (answer.choice !== vote.choice) show("other", vote, { stored: named(answer.choice) });
    else if (waiting() && told === "waiting") show("waiting", vote);
    else if (told === "waiting" || !quiet.has(vote.battle)) show("saved", vote);
  }

  /** Return words with their fields filled in. */
  const filled = (text, fields) => Object.entries(fields).reduce((said, [name, value]) => said.replaceAll(`{${name}}`, value), text);

  function show(kind, vote, more = {}) {
    const note = document.getElementById("vote-note") || document.createElement("div");
    note.id = "vote-note";
    const count = waiting();
    most = kind === "waiting" ? Math.max(most, count) : most;
    const several = kind === "waiting" ? count > 1 : kind === "saved" && most > 1;
    note.setAttribute("role", "alert");
    const text = filled(words[several ? `${kind}_more` : kind], { choice: named(vote.choice), count, ...more });
    if (note.textContent !== text) note.textContent = text;
    if (!note.isConnected) document.body.prepend(note);
    const isRefusal = kind === "refused" || kind === "other";
    told = isRefusal && quiet.has(vote.battle) ? "stays" : kind; // the next vote comes at once
    if (kind !== "waiting") most = 0;
    if (kind === "saved" || told === "stays") setTimeout(() => note.textContent === text && note.remove(), kind === "saved" ? GONE_MS : 2 * GONE_MS);
  }

  document.addEventListener("click", onClick, true);

  /** Send the votes of an earlier page, the oldest first. */
  function goOn() {
    const battles = browser.keys().filter((key) => key.startsWith(KEY)).map((key) => key.slice(KEY.length));
    if (battles.length > 1) [told, most] = ["waiting", battles.length];
    battles.sort((one, other) => (kept(one)?.at || 0) - (kept(other)?.at || 0)).forEach(decide);
  }

  goOn();
  Object.assign(window.playground, { carried, carry, cast, takeBack, filled, decided, isWaiting: () => told === "waiting" });
})();
