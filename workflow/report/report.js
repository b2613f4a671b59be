"use strict";
// Links the figures: one person is the same person in each of them, and groups stand out by their button.
(() => {
  const block = document.getElementById("people");
  const main = document.getElementById("main");
  const all = [...main.querySelectorAll("svg [data-s]")];
  if (!block || all.length === 0) return;
  const data = JSON.parse(block.textContent);
  const bar = main.querySelector(".picked"), words = bar.querySelector("[role=status]");
  const choices = bar.querySelector(".choices"), profile = choices.querySelector("a");
  const marks = new Map(), shown = new Set(), at = new WeakMap();
  let picked = null;

  for (const mark of all) {
    const name = mark.getAttribute("data-s");
    if (!marks.has(name)) marks.set(name, []);
    marks.get(name).push(mark);
  }

  function described(name) {
    const [group, ...values] = data.people[name];
    const known = values.map((value, place) => value && `${data.fields[place]} ${value}`).filter(Boolean);
    return [`${name}: ${data.groups[group][0]}`, ...known].join(", ");
  }

  function ring(mark, kind) {
    const box = mark.getBBox(), ring = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const given = { x: box.x - 3, y: box.y - 3, width: box.width + 6, height: box.height + 6, rx: 7, class: kind };
    for (const [name, value] of Object.entries(given)) ring.setAttribute(name, value);
    mark.parentNode.append(ring);
  }

  function clear(kind) {
    for (const old of main.querySelectorAll(`svg .${kind}`)) old.remove();
  }

  function say(name) {
    const more = picked === null || picked === name ? "" : ` (picked: ${picked})`;
    words.textContent = name === null ? "" : described(name) + more;
    choices.hidden = picked === null;
    bar.classList.toggle("on", name !== null);
  }

  function pick(name) {
    picked = name;
    clear("ring");
    for (const row of main.querySelectorAll("tr.is-picked")) row.classList.remove("is-picked");
    if (name !== null) {
      for (const mark of marks.get(name) ?? []) ring(mark, "ring");
      const anchor = `person-${name.replace("#", "no-")}`;
      document.getElementById(anchor)?.classList.add("is-picked");
      if (profile) profile.href = `${data.profiles_at}#${anchor}`;
    }
    say(name);
  }

  // --- pointer: one listener for all points
  const nameAt = (event) => event.target.closest?.("svg [data-s]")?.getAttribute("data-s") ?? null;
  main.addEventListener("mouseover", (event) => { const name = nameAt(event); if (name !== null) say(name); });
  main.addEventListener("mouseout", (event) => { if (nameAt(event) !== null) say(picked); });
  main.addEventListener("click", (event) => { const name = nameAt(event); if (name !== null) pick(name); });
  choices.querySelector("button").addEventListener("click", () => pick(null));
  // a profile that opens tells so
  document.addEventListener("person", (event) => pick(event.detail));

  // --- keyboard: a figure is one stop of the tab key, and arrows go from person to person
  for (const svg of new Set(all.map((mark) => mark.ownerSVGElement))) {
    const number = svg.closest("figure").querySelector("figcaption .label").textContent.replace(/\.$/, "");
    svg.setAttribute("aria-description", svg.getAttribute("aria-label"));
    svg.setAttribute("aria-label", `${number}: arrow keys move from person to person, Enter picks one`);
    svg.setAttribute("role", "application");
    svg.setAttribute("tabindex", "0");
  }
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10,
    Home: -Infinity, End: Infinity };
  main.addEventListener("keydown", (event) => {
    const svg = event.target;
    if (!(svg instanceof SVGElement) || svg.getAttribute("role") !== "application") return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const order = [...svg.querySelectorAll("[data-s]:not(.off)")];
    if (event.key in steps && order.length) {
      const from = order.indexOf(at.get(svg)), step = steps[event.key];
      const to = from < 0 && Number.isFinite(step) ? 0 : Math.min(Math.max(from + step, 0), order.length - 1);
      at.set(svg, order[to]);
      clear("cursor");
      ring(order[to], "cursor");
      say(order[to].getAttribute("data-s"));
    } else if ((event.key === "Enter" || event.key === " ") && order.includes(at.get(svg))) {
      const name = at.get(svg).getAttribute("data-s");
      if (picked === name && profile) profile.click();
      else pick(name);
    } else if (event.key === "Escape") {
      clear("cursor");
      pick(null);
    } else return;
    event.preventDefault();
  });
  main.addEventListener("focusout", (event) => {
    if (event.target instanceof SVGElement) { clear("cursor"); say(picked); }
  });

  // --- groups: none pressed shows all
  const groups = document.querySelector(".who");
  groups.hidden = false;
  groups.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const group = Number(button.dataset.group);
    if (!shown.delete(group)) shown.add(group);
    button.setAttribute("aria-pressed", shown.has(group));
    for (const [name, of] of marks) {
      const off = shown.size > 0 && !shown.has(data.people[name][0]);
      for (const mark of of) mark.classList.toggle("off", off);
    }
  });
})();
