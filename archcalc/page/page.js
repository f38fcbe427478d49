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
