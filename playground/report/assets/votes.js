/* The list of votes with its search. Texts of visitors and models only ever become text nodes. */
(() => {
  const form = document.getElementById("votes-form");
  if (!form) return;
  const { models, battles } = JSON.parse(document.getElementById("report-battles").textContent);
  const list = document.getElementById("votes-list"), said = document.getElementById("votes-said"), more = document.getElementById("votes-more");
  const PAGE = 20;
  let found = [], shown = 0;
  const texts = battles.map((battle) => [battle.instruction, battle.input, battle.system, ...battle.answers.map((answer) => answer[2])].join("\n").toLowerCase());

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function words(text, className) {
    const made = element("div", `words ${className}`, text);
    made.dir = "auto";
    return made;
  }

  function drawn(battle) {
    const item = element("li", "battle");
    item.append(words(battle.instruction, "asked"));
    for (const text of [battle.input, battle.system]) if (text) item.append(words(text, "beside"));
    const answers = element("div", "answers");
    for (const [side, model, text, license] of battle.answers) {
      const answer = element("section", `answer${battle.best.includes(side) ? " best" : ""}`);
      const head = element("h3", "", `${side.toUpperCase()} · ${models[model] ?? model}`);
      if (battle.best.includes(side)) head.append(element("span", "mark", "preferred"));
      answer.append(head, words(text, ""), element("p", "soft", license));
      answers.append(answer);
    }
    const facts = [battle.outcome, ...battle.reasons, battle.day, battle.category, `rater ${battle.rater}`, battle.whyNot ? `not counted: ${battle.whyNot}` : ""];
    item.append(answers, element("p", "soft facts", facts.filter(Boolean).join(" · ")));
    if (battle.comment) item.append(words(`“${battle.comment}”`, "beside"));
    return item;
  }

  function showMore() {
    const first = found.slice(shown, shown + PAGE).map((index) => drawn(battles[index]));
    list.append(...first);
    shown += first.length;
    more.hidden = shown >= found.length;
    return first[0];
  }

  function search() {
    const wanted = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const model = form.elements.model.value, outcome = form.elements.outcome.value;
    found = [...battles.keys()].filter((index) => {
      const battle = battles[index];
      return wanted.every((word) => texts[index].includes(word))
        && (!model || battle.answers.some((answer) => answer[1] === model))
        && (!outcome || battle.kind === outcome)
        && (!form.elements.counted.checked || !battle.whyNot);
    });
    list.replaceChildren();
    shown = 0;
    showMore();
    said.textContent = found.length ? `${found.length.toLocaleString("en")} of ${battles.length.toLocaleString("en")} battles.` : "No battle fits. Fewer words find more.";
  }

  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const first = showMore();
    if (first) { first.tabIndex = -1; first.focus(); }
  });
  form.hidden = false;
  search();
})();
