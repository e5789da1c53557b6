// A note at the top of the page while requests fail, with advice if the address is the cause.
//
// It watches every request of the page, hands those that carry a vote to `waiting_votes.js`, and leaves battles to `battle.js`.
(() => {
  "use strict";
  const PROBE_MS = 2000;
  const PATIENCE_MS = 5000; // for the response to a probe
  const words = JSON.parse(document.getElementById("connection-words").textContent);
  const send = window.fetch.bind(window);
  const folder = location.pathname.replace(/[^/]*$/, ""); // all pages are in the same one
  let shown = "";
  let probing = false;
  let leaving = false;

  function show(kind) {
    if (shown === kind || (shown && kind === "away")) return; // a wrong address stays the reason
    shown = kind;
    const note = document.getElementById("connection") || document.createElement("div");
    note.id = "connection";
    note.setAttribute("role", "alert");
    note.textContent = words[kind].replaceAll("{here}", location.origin).replaceAll("{path}", folder.replace(/\/$/, ""));
    if (!note.isConnected) document.body.prepend(note);
  }

  function hide() {
    if (shown !== "away") return;
    shown = "";
    document.getElementById("connection")?.remove();
  }

  /** Return whether a response came from the playground, not from a proxy that cannot reach it. */
  function isOurs(response) {
    return response.status < 500 || (response.headers.get("content-type") || "").startsWith("application/json");
  }

  async function isBack() {
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      return isOurs(await send(`${folder}health`, { method: "HEAD", cache: "no-store", signal }));
    } catch {
      return false;
    }
  }

  async function probe() {
    if (probing) return;
    probing = true;
    while (!leaving && !(await isBack())) {
      show("away");
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    }
    probing = false;
    hide();
  }

  function judge(url, response) {
    if (url.host !== location.host) return;
    if (response.headers.get("x-playground-refused") === "origin") show("address");
    else if (response.status >= 400 && !url.pathname.startsWith(folder)) show("path");
    else if (!isOurs(response)) probe();
    else hide();
  }

  window.fetch = (input, init) => {
    const vote = window.playground.carried?.(init?.body);
    return vote ? window.playground.carry(vote, () => watched(input, init)) : watched(input, init);
  };

  async function watched(input, init) {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    try {
      const response = await send(input, init);
      judge(url, response);
      return response;
    } catch (error) {
      if (!leaving && error?.name !== "AbortError") {
        if (url.host !== location.host) show("address");
        else probe();
      }
      throw error;
    }
  }

  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", () => (leaving = false));
})();
