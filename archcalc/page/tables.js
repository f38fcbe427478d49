/* Tables: modules that fold, columns that sort, a filter. */

function setUpFolding(table) {
  table.classList.add("folding");
  for (const head of all("tr.module", table)) {
    const cell = head.cells[0];
    const button = create("button", cell.textContent);
    button.type = "button";
    const fold = (folded) => {
      button.setAttribute("aria-expanded", String(!folded));
      for (const row of all("tr:not(.module)", head.parentNode)) row.hidden = folded;
    };
    button.addEventListener("click", () => fold(button.getAttribute("aria-expanded") === "true"));
    cell.replaceChildren(button);
    addEventListener("beforeprint", () => fold(false));
    fold(true);
  }
}

function setUpDetails(details) {
  addEventListener("beforeprint", () => { details.open = true; });
}

function setUpSorting(table) {
  const body = table.tBodies[0];
  all("thead th", table).forEach((heading) => {
    const button = create("button", heading.textContent);
    button.type = "button";
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const column = heading.cellIndex;
      const rows = [...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], sign));
      body.append(...rows);
    });
  });
}

function compare(a, b, sign) {
  if (!a.textContent || !b.textContent) return Number(!a.textContent) - Number(!b.textContent);
  if ("key" in a.dataset && "key" in b.dataset) return sign * (a.dataset.key - b.dataset.key);
  return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
}

function setUpFilter() {
  const input = document.getElementById("filter");
  const rows = [...document.querySelector("table.sortable").tBodies[0].rows];
  const output = document.querySelector("output[for=filter]");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = [...row.cells].map((cell) => cell.textContent.toLowerCase()).join(" ");
      row.hidden = !words.every((word) => text.includes(word));
    }
    output.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  });
  document.querySelector(".filter").hidden = false;
}
