/* Drawings: modules that open, boxes that show how their numbers come about, colours by a measure. */

function readDerivations(element) {
  const [steps, calls] = element.textContent.split("\n\n").map((block) => block.split("\n"));
  const derivations = new Map();
  for (const call of calls || []) {
    const [row, title, numbers] = call.split("\t");
    const lines = numbers.split(" ").filter(Boolean).map((number) => steps[number].split("\t"));
    derivations.set(row, { title, lines });
  }
  return derivations;
}

function list(lines) {
  const dl = create("dl", "");
  for (const [quantity, derivation] of lines) {
    const line = create("div", "");
    line.append(create("dt", quantity), create("dd", derivation));
    dl.append(line);
  }
  return dl;
}

function setUpLegend(legend, picture) {
  const ramp = legend.querySelector(".ramp");
  const [least, most] = all("span", ramp);
  return (key, title) => {
    const byKind = key === "kind";
    for (const item of all("[data-kind]", legend)) {
      item.hidden = !byKind || !picture.querySelector(`.k-${item.dataset.kind}`);
    }
    ramp.hidden = byKind;
    least.textContent = `${title}: 0`;
    most.textContent = picture.querySelector("svg").getAttribute(`data-most-${key}`);
  };
}

function setUpDrawing(drawing) {
  const picture = drawing.querySelector(".picture");
  const about = drawing.querySelector(".about");
  const trail = drawing.querySelector(".path");
  const select = drawing.querySelector("select");
  const showLegend = setUpLegend(drawing.querySelector(".legend"), picture);
  const hint = about.querySelector(".hint");
  const views = new Map([["", { svg: picture.querySelector("svg"), lines: about.querySelector("dl") }]]);
  for (const { dataset, content } of all("template[data-path]", drawing)) {
    views.set(dataset.path, { svg: content.querySelector("svg"), lines: content.querySelector("dl") });
  }
  let derivations = null;
  let open = [""];

  const boxes = () => all("[data-path][class]", picture);
  const reach = (box) => boxes().forEach((other) => other.setAttribute("tabindex", other === box ? "0" : "-1"));
  const colour = () => {
    const key = select.value;
    for (const box of boxes()) {
      box.classList.remove("plain", ...[...box.classList].filter((name) => /^m\d$/.test(name)));
      const step = box.getAttribute(`data-${key}`);
      if (key !== "kind") box.classList.add(step === null ? "plain" : `m${step}`);
    }
    showLegend(key, select.selectedOptions[0].textContent);
  };
  const explainView = () => {
    boxes().forEach((box) => box.classList.remove("chosen"));
    about.replaceChildren(create("h4", open.at(-1) || drawing.dataset.network), hint, views.get(open.at(-1)).lines);
  };
  const explainBox = (box) => {
    derivations ||= readDerivations(drawing.querySelector(".derivations"));
    boxes().forEach((other) => other.classList.toggle("chosen", other === box));
    const rows = (box.dataset.rows || "").split(" ").map((row) => derivations.get(row)).filter(Boolean);
    if (rows.length) {
      about.replaceChildren(...rows.flatMap(({ title, lines }) => [create("h4", title), list(lines)]));
      return;
    }
    const [title, ...facts] = box.querySelector("title").textContent.split("\n");
    const parts = [create("h4", title), ...facts.filter((fact) => fact !== title).map((fact) => create("p", fact))];
    if (views.has(box.dataset.path)) parts.push(create("p", "Enter or a click opens it."));
    about.replaceChildren(...parts);
  };
  const prepare = () => boxes().forEach((box, index) => {
    box.setAttribute("role", "button");
    box.setAttribute("tabindex", index ? "-1" : "0");
    if (box.dataset.module) box.setAttribute("aria-label", `open ${box.dataset.path}`);
  });
  const show = (paths, focused) => {
    const left = open.at(-1);
    open = paths;
    const { svg } = views.get(open.at(-1));
    svg.style.minWidth = `${0.7 * svg.getAttribute("width")}px`; /* no smaller than what can be read */
    picture.replaceChildren(svg);
    picture.scrollTo(0, 0);
    trail.replaceChildren(...open.map((path, index) => {
      const button = create("button", path || drawing.dataset.network);
      button.type = "button";
      if (index === open.length - 1) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => show(open.slice(0, index + 1), true));
      return button;
    }));
    prepare();
    colour();
    explainView();
    if (!focused) return;
    const origin = boxes().find((box) => box.dataset.module && box.dataset.path === left);
    if (origin) reach(origin);
    if (drawing.getBoundingClientRect().top < 0) drawing.scrollIntoView();
    (origin || picture).focus({ preventScroll: !origin });
  };
  const act = (event) => {
    const box = event.target.closest("[data-path][class]");
    if (!box) {
      if (event.type === "click") show(open, false);
      return;
    }
    event.preventDefault();
    if (box.dataset.module && views.has(box.dataset.path)) show([...open, box.dataset.path], true);
    else explainBox(box);
  };
  const step = (event) => {
    const listed = boxes();
    const at = listed.indexOf(event.target);
    const next = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: listed.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    listed[Math.max(0, Math.min(next, listed.length - 1))].focus();
  };
  picture.addEventListener("click", act);
  picture.addEventListener("focusin", (event) => {
    if (!event.target.matches("[data-path][class]")) return;
    reach(event.target);
    explainBox(event.target);
  });
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") act(event);
    else step(event);
  });
  drawing.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (open.length > 1) show(open.slice(0, -1), true);
    else explainView();
  });
  select.addEventListener("change", colour);
  drawing.querySelector(".tools").hidden = false;
  hint.hidden = false;
  show([""], false);
}
