// A note at the top of the page while its events cannot be sent, with the cure where the address is at fault.
//
// It looks at each request that the page makes. What happens to a battle meanwhile is not decided here.
(() => {
  "use strict";
  const PROBE_MS = 2000;
  const PATIENCE_MS = 5000; // for the answer to a probe
  const words = JSON.parse(document.getElementById("connection-words").textContent);
  const send = window.fetch.bind(window);
  const folder = location.pathname.replace(/[^/]*$/, ""); // every page of the playground lies in the same one
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

  /** Whether an answer came from the playground, not from a proxy that does not reach it. */
  function isOurs(answer) {
    return answer.status < 500 || (answer.headers.get("content-type") || "").startsWith("application/json");
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

  function judge(url, answer) {
    if (url.host !== location.host) return;
    if (answer.headers.get("x-playground-refused") === "origin") show("address");
    else if (answer.status >= 400 && !url.pathname.startsWith(folder)) show("path");
    else if (!isOurs(answer)) probe();
    else hide();
  }

  window.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    try {
      const answer = await send(input, init);
      judge(url, answer);
      return answer;
    } catch (error) {
      if (!leaving && error?.name !== "AbortError") {
        if (url.host !== location.host) show("address");
        else probe();
      }
      throw error;
    }
  };

  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", () => (leaving = false));
})();
