// The battle that this tab shows: data for every call, the order of replies, following, a vote's first second.
//
// Replies may be drawn in any order. Each says in #status what it drew: the step of the tab that it answers, the battle,
// its revision and its phase. If an older reply is drawn after a newer one, the page asks for the newer battle again.
// While a battle is being written the page follows it (#watch), and asks again if it hears nothing (#pulse).
//
// If the server cannot be reached, Gradio says so, asks every two seconds, and reloads the page once it answers; the
// address brings the battle back.
(() => {
  "use strict";
  const PHASES = ["compose", "generating", "open", "voted", "shared", "revealed", "void"]; // of one revision, in order
  const AGAIN_MS = 700; // between two requests
  const SILENT_MS = 5000; // the server is heard every two seconds
  const OVERDUE_MS = 2000; // a reply that should have come, a vote that should be final
  const MAX_SAID_CHARS = 400;
  const WHOLE_MS = 600; // until a reply is drawn completely
  const MOST_TRIES = 3; // to draw a reply completely
  const SLACK_MS = 30; // timers may fire early
  const byId = (id) => document.getElementById(id);
  const now = () => performance.now();

  let shown = { step: 0, battle: "", revision: 0, phase: "compose", said: "", columns: "", written: "", votes: false };
  let steps = 0; // grows with every action that makes the tab show something else
  let answered = false; // the battle in the address was drawn or refused
  let behind = false; // an older reply was drawn last
  let finalAt = Infinity;
  let opensAt = 0;
  const { tab } = window.playground;

  // Data for the server

  const inAddress = () => (new URL(location.href).searchParams.get("battle") || "").slice(0, 100);

  /** A shared battle whose models this guest has asked for, or has read about: a link beside its outcome says `look`. */
  let lookedAt = new URL(location.href).searchParams.has("look") ? inAddress() : tab.read("looked") || "";

  /** The battle in the address, until it was drawn or refused. */
  const address = () => (answered ? "" : inAddress());

  /** The battle that is drawn, or will be. */
  const showing = () => shown.battle || address();

  function named() {
    const { battle, revision, step, said } = shown;
    const look = lookedAt !== "" && showing() === lookedAt;
    return { battle: showing(), revision: battle ? revision : null, step, said: said.slice(0, MAX_SAID_CHARS), again: true, look };
  }

  const mayJudge = () => !behind && !held();

  /** Refuse a vote while the page is behind, and in the first second. */
  function judged(choice = "") {
    if (behind || (choice && held())) throw new Error("The page is about to change; nothing was sent.");
    return { ...named(), choice };
  }

  /** Return a vote as the page would send it now; null while it is about to change. */
  function ballot(choice) {
    return mayJudge() && shown.phase === "open" ? { battle: shown.battle, choice, revision: shown.revision } : null;
  }

  function begun() {
    steps += 1;
    document.dispatchEvent(new CustomEvent("begun"));
    return { ...named(), step: steps };
  }

  /** Show the models of the shared battle from now on. */
  function looked() {
    lookedAt = shown.battle;
    tab.write("looked", lookedAt);
    return named();
  }

  /** Return whether the tab still waits for the reply to this step. */
  const isStep = (step) => step === steps;

  const dealt = () => ({ ...named(), ...window.playground.deal() });
  const dealtNext = () => ({ ...begun(), ...window.playground.deal() });

  function asked() {
    const sent = { ...named(), again: !everything };
    everything = false;
    return sent;
  }

  let watching = ""; // the battle that is being followed
  let streams = 0; // calls that follow it
  let watchedAt = -Infinity;
  let heardAt = 0;

  function watched() {
    watching = shown.battle;
    streams += 1;
    heardAt = now();
    return named();
  }

  function settled() {
    streams = Math.max(0, streams - 1);
    if (!streams) [watching, watchedAt] = ["", now()]; // the reply to this call comes first
    return named();
  }

  // Requests

  let everything = false; // draw also what a visitor may be typing beside the battle
  let askedAt = -Infinity;
  let asking = 0;

  /** Draw the battle again; `id` "recall" draws the composer too. */
  function ask(all, id = "again") {
    everything ||= all;
    if (asking && id === "again") return;
    clearTimeout(asking);
    asking = setTimeout(() => {
      asking = 0;
      askedAt = now();
      byId(id)?.click();
    }, Math.max(0, askedAt + AGAIN_MS - now()));
  }

  function watch() {
    if (watching === shown.battle && now() - watchedAt < SILENT_MS) return;
    watchedAt = now();
    byId("watch")?.click();
  }

  /** Once a second: ask again for lost replies. */
  function tend() {
    const waited = now() - Math.max(askedAt, 0); // or since the page was loaded
    if (behind) {
      if (waited > OVERDUE_MS) ask(true);
    } else if (address()) {
      if (waited > SILENT_MS) ask(true, "recall");
    } else if (shown.phase === "generating") {
      const silent = now() - heardAt;
      if (watching !== shown.battle && now() - watchedAt > AGAIN_MS * 3) watch();
      else if (silent > SILENT_MS && waited > SILENT_MS) {
        ask(false);
        if (silent > 2 * SILENT_MS) watch();
      }
    } else if (shown.phase === "voted" && now() > finalAt + OVERDUE_MS && waited > OVERDUE_MS) ask(false);
  }

  // Replies

  function isOlder(drawn) {
    if (drawn.step !== shown.step) return drawn.step < shown.step;
    if (drawn.battle !== shown.battle) return !drawn.battle && drawn.gone !== shown.battle;
    if (drawn.revision !== shown.revision) return drawn.revision < shown.revision;
    return PHASES.indexOf(drawn.phase) < PHASES.indexOf(shown.phase);
  }

  function onStatus(data) {
    if (!data.phase) return; // only a message
    const { phase, said = "", gone = "", battle = "", columns = "", written = "" } = data;
    const drawn = { step: Number(data.step), battle, revision: Number(data.revision) || 0, phase, said, columns, written, gone, votes: "votes" in data };
    behind = isOlder(drawn);
    if (behind) {
      ask(drawn.battle !== shown.battle);
      return;
    }
    answered ||= Boolean(battle || gone || drawn.step);
    if (drawn.step !== shown.step || battle !== shown.battle || drawn.revision !== shown.revision || phase !== shown.phase) tries = 0;
    shown = drawn;
    steps = Math.max(steps, drawn.step);
    finalAt = phase === "voted" ? now() + Number(data.finalIn) * 1000 : Infinity;
    holdFor(phase === "open" ? Number(data.opensIn) || 0 : 0);
    document.dispatchEvent(new CustomEvent("battle", { detail: data }));
    if (phase === "generating" && watching !== battle) watch();
    clearTimeout(checking);
    checking = setTimeout(check, WHOLE_MS);
  }

  /** Draw the battle that Back or Forward put into the address; until then nothing can be voted on. */
  function onPopState() {
    const battle = inAddress();
    if (battle === shown.battle) return;
    steps += 1;
    shown = { ...shown, step: steps, battle: "", revision: 0, phase: "compose", said: "" };
    [behind, answered, watching] = [true, !battle, ""];
    ask(true, battle ? "recall" : "again");
  }

  function onPulse({ battle, phase, step }) {
    heardAt = now();
    if (Number(step) > shown.step) { // its reply was drawn, and at once another one over it
      shown = { ...shown, step: Number(step), battle, revision: 0, phase: "compose", said: "" };
      behind = true;
      ask(true);
    } else if (phase === "generating" && (battle !== shown.battle || shown.phase !== "generating")) ask(true);
  }

  let tries = 0;
  let checking = 0;

  /** Draw the battle once more if Gradio has mixed two replies while components appeared. */
  function check() {
    if (behind || isWhole() || tries >= MOST_TRIES) return;
    tries += 1;
    ask(false);
    checking = setTimeout(check, WHOLE_MS * (tries + 1));
  }

  function isWhole() {
    const seen = (id) => Boolean(byId(id)?.getClientRects().length);
    if (seen("stop") !== (shown.phase === "generating")) return false;
    if (shown.phase === "compose") return true;
    if (seen("vote-tie") !== shown.votes) return false;
    const sides = [...document.querySelectorAll(".side")].filter((side) => side.getClientRects().length).length;
    if (String(sides) !== shown.columns && !document.querySelector(".side.enlarged")) return false;
    return shown.phase === "generating" || [...shown.written].every((side) => byId(`answer-${side}`)?.textContent.trim());
  }

  // A vote's first second

  const held = () => now() < opensAt;

  function holdFor(seconds) {
    opensAt = seconds ? now() + seconds * 1000 + SLACK_MS : 0;
    if (seconds) setTimeout(hold, seconds * 1000 + 2 * SLACK_MS);
    hold();
  }

  /** Disable choices until then, although Gradio shows them as enabled. */
  function hold() {
    document.body.toggleAttribute("data-held", held());
    for (const button of document.querySelectorAll("button.choice")) {
      if (held() && !button.disabled) {
        button.disabled = true;
        button.dataset.held = "";
      } else if (!held() && "held" in button.dataset) {
        delete button.dataset.held;
        if (shown.phase === "open") button.disabled = false;
      }
    }
  }

  function onClick(event) {
    if (!held() || !(event.target instanceof Element && event.target.closest("button.choice"))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // Changes of the page

  const WATCHED = ["step", "battle", "revision", "phase", "gone", "written", "final-in", "opens-in", "beat"].map((name) => `data-${name}`);
  const read = { status: "", pulse: "" };

  /** Return whether an element's data changed; Gradio may redraw it or replace it. */
  function changed(name, element) {
    const data = element ? JSON.stringify(element.dataset) : read[name];
    const differs = data !== read[name];
    read[name] = data;
    return differs;
  }

  function look() {
    const [line, beat] = [byId("status"), byId("pulse")?.querySelector("i")];
    if (changed("status", line)) onStatus(line.dataset);
    if (changed("pulse", beat)) onPulse(beat.dataset);
    if (held()) hold();
  }

  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["disabled", ...WATCHED] });
  document.addEventListener("click", onClick, true);
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    watching = "";
    ask(false);
  });
  window.addEventListener("popstate", onPopState);
  document.addEventListener("decided", ({ detail }) => detail.battle === showing() && ask(false, shown.battle ? "again" : "recall"));
  setInterval(tend, 1000);
  Object.assign(window.playground, { named, judged, begun, asked, watched, settled, looked, dealt, dealtNext, ballot, showing, isStep });
})();
