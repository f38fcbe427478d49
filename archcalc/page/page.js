"use strict";
/* The page is whole without this: it adds themes, folding, sorting, filtering and the pictures of modules. */

const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const create = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

function setUpTheme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  button.hidden = false;
  label();
}

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

function setUpDrawing(drawing) {
  const picture = drawing.querySelector(".picture");
  const trail = drawing.querySelector(".path");
  const select = drawing.querySelector("select");
  const svgs = new Map([["", picture.querySelector("svg")]]);
  for (const template of all("template", drawing)) svgs.set(template.dataset.path, template.content.querySelector("svg"));
  let open = [""];

  const colour = () => {
    for (const box of all("[data-path][class]", picture)) {
      box.classList.remove(...[...box.classList].filter((name) => /^m\d$/.test(name)));
      const step = box.getAttribute(`data-${select.value}`);
      if (select.value !== "kind" && step !== null) box.classList.add(`m${step}`);
    }
  };
  const show = (paths, focused) => {
    const left = open.at(-1);
    open = paths;
    picture.replaceChildren(svgs.get(open.at(-1)));
    picture.scrollTo(0, 0);
    trail.replaceChildren(...open.map((path, index) => {
      const button = create("button", path || drawing.dataset.network);
      button.type = "button";
      if (index === open.length - 1) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => show(open.slice(0, index + 1), true));
      return button;
    }));
    colour();
    if (!focused) return;
    const origin = all("[data-module]", picture).find((box) => box.dataset.path === left);
    (origin || picture).focus({ preventScroll: !origin });
  };
  const enter = (event) => {
    const box = event.target.closest("[data-module]");
    if (!box || !svgs.has(box.dataset.path)) return;
    event.preventDefault();
    show([...open, box.dataset.path], true);
  };
  picture.addEventListener("click", enter);
  drawing.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") enter(event);
    if (event.key === "Escape" && open.length > 1) show(open.slice(0, -1), true);
  });
  select.addEventListener("change", colour);
  drawing.querySelector(".tools").hidden = false;
  show([""], false);
}

setUpTheme();
all("table.layers").forEach(setUpFolding);
all("table.sortable").forEach(setUpSorting);
setUpFilter();
all(".drawing").forEach(setUpDrawing);
