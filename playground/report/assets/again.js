/* "Rate again": the ratings without some models or categories, or with another rule for "all bad". */
(() => {
  const form = document.getElementById("again-form");
  if (!form) return;
  const tallies = JSON.parse(document.getElementById("report-tallies").textContent);
  const body = document.getElementById("again-rows"), said = document.getElementById("again-said");
  const rows = [...body.rows];
  const unchecked = (name) => new Set([...form.elements].filter((box) => box.name === name && !box.checked).map((box) => Number(box.value)));
  const points = (rating) => String(Math.round(rating)).replace("-", "−");

  function draw() {
    const without = { withoutModels: unchecked("model"), withoutCategories: unchecked("category"), bothBad: form.elements.bothBad.value };
    const { votes, ratings } = rate(tallies, without);
    for (const row of rows) {
      const rating = ratings[Number(row.dataset.model)], stored = Number(row.dataset.stored);
      row.dataset.rating = rating ?? "";
      row.cells[1].textContent = rating === null ? "–" : points(rating);
      const change = rating === null ? null : Math.round(rating) - Math.round(stored);
      row.cells[3].textContent = change === null ? "–" : change > 0 ? `+${change}` : points(change);
    }
    const order = (row) => (row.dataset.rating === "" ? -Infinity : Number(row.dataset.rating));
    body.append(...[...rows].sort((a, b) => order(b) - order(a)));
    const asStored = !without.withoutModels.size && !without.withoutCategories.size && without.bothBad === tallies.bothBad;
    said.textContent = `${votes.toLocaleString("en")} ${votes === 1 ? "vote" : "votes"} rated${asStored ? ", as in the report" : ""}.`;
  }

  form.addEventListener("change", draw);
  form.addEventListener("reset", () => setTimeout(draw));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  draw();
})();
