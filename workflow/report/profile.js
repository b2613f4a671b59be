"use strict";
// Opens the profile of the person whom the address names.
(() => {
  const data = JSON.parse(document.getElementById("people").textContent), all = data.profile;
  const names = Object.keys(data.people), dialog = document.getElementById("profile");
  const SPACE = "http://www.w3.org/2000/svg";
  const part = (name) => dialog.querySelector(`.${name}`);
  const anchor = (name) => `#person-${name.replace("#", "no-")}`;
  const minus = (value) => String(value).replace("-", "\u2212");
  const short = (value) => minus(Number(value.toPrecision(3)));
  const signed = (value) => (value > 0 ? `+${value}` : minus(value));

  function made(name, given = {}, words = "") {
    const drawn = name.startsWith("svg:");
    const element = drawn ? document.createElementNS(SPACE, name.slice(4)) : document.createElement(name);
    for (const [key, value] of Object.entries(given)) element.setAttribute(key, value);
    if (words !== "") element.textContent = words;
    return element;
  }

  function drawing(width, height, ...children) {
    const svg = made("svg:svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
    svg.append(...children);
    return svg;
  }

  const line = (x1, y1, x2, y2, kind) => made("svg:line", { x1, y1, x2, y2, class: kind });

  // One row for each number: its name, where it lies, and the number itself.
  function tracks(rows, low, high) {
    const table = made("table", { class: "tracks" }), body = table.createTBody();
    const x = (value) => 4 + 132 * Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
    for (const { name, value, words, ends, bound, from } of rows) {
      const row = body.insertRow(), shapes = [line(4, 8, 136, 8, "rail")];
      if (from !== undefined && value !== null) shapes.push(line(x(from), 8, x(value), 8, "bar"));
      if (ends && ends[0] !== null) shapes.push(line(x(ends[0]), 8, x(ends[1]), 8, "bar"));
      if (bound !== undefined && bound !== null) shapes.push(line(x(bound), 2, x(bound), 14, "bound"));
      if (value !== null) shapes.push(made("svg:circle", { cx: x(value), cy: 8, r: 3.6, class: "here" }));
      row.append(made("th", { scope: "row" }, name));
      row.insertCell().append(drawing(140, 16, ...shapes));
      row.insertCell().textContent = value === null ? "not known" : words;
    }
    return table;
  }

  function ticks(low, high) {
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + 1e-9; at += step) found.push(Number(at.toPrecision(3)));
    return found;
  }

  // The score among those of the controls and of the same group.
  function strips(place, group) {
    const { values, cutoff, control } = all.score, known = values.filter((value) => value !== null);
    const low = Math.min(...known), high = Math.max(...known), left = 92, right = 372;
    const x = (value) => left + (right - left) * (value - low) / (high - low || 1);
    const lines = [...new Set([control, group])].filter((each) => each !== null);
    const bottom = 16 + 26 * lines.length, shapes = [];
    if (cutoff) {
      if (cutoff[1] !== null) shapes.push(made("svg:rect", { x: x(cutoff[1]), y: 4, width: Math.max(x(cutoff[2]) - x(cutoff[1]), 0), height: bottom - 4, class: "band" }));
      shapes.push(line(x(cutoff[0]), 4, x(cutoff[0]), bottom, "bound"));
    }
    lines.forEach((of, row) => {
      const y = 20 + 26 * row, [name, colour] = data.groups[of];
      shapes.push(made("svg:text", { x: 0, y: y + 4 }, name.length > 14 ? `${name.slice(0, 13)}\u2026` : name));
      names.forEach((other, number) => {
        if (data.people[other][0] !== of || values[number] === null || number === place) return;
        const spread = ((number * 0.618034) % 1 - 0.5) * 14;
        shapes.push(made("svg:circle", { cx: x(values[number]).toFixed(1), cy: (y + spread).toFixed(1), r: 2.4, fill: colour, "fill-opacity": 0.55 }));
      });
    });
    for (const at of ticks(low, high)) {
      shapes.push(line(x(at), bottom, x(at), bottom + 4, "rail"));
      shapes.push(made("svg:text", { x: x(at), y: bottom + 16, "text-anchor": "middle" }, minus(at)));
    }
    shapes.push(line(left, bottom, right, bottom, "rail"), line(x(values[place]), 2, x(values[place]), bottom, "here"));
    return drawing(380, bottom + 20, ...shapes);
  }

  // Each part returns its words and what is drawn; null where the data do not have it.
  const parts = {
    score(place, group) {
      const { name, values, certainty, cutoff, control } = all.score, value = values[place];
      if (value === null) return ["No score: see the remarks."];
      const of = values.filter((other, number) => data.people[names[number]][0] === control && other !== null && number !== place);
      const below = of.filter((other) => other < value).length;
      const said = [`${short(value)} (${name})`];
      if (cutoff) said.push(`cut-off ${short(cutoff[0])}${cutoff[1] === null ? "" : `, 95 % interval ${short(cutoff[1])} to ${short(cutoff[2])}`}`);
      if (certainty[place] !== null) said.push(`probability of lying above it ${certainty[place]}`);
      if (of.length) said.push(`above ${below} of ${of.length}${group === control ? " other" : ""} controls`);
      return [`${said.join("; ")}. The line is this person.`, strips(place, group)];
    },
    genes(place) {
      const z = all.genes.values[place];
      if (z === null) return ["Gene expression was not measured."];
      const rows = all.genes.names.map((name, gene) => ({ name, value: z[gene], words: signed(z[gene]), from: 0 }));
      return ["Distance from the controls' mean in their standard deviations (z), from normalised expression.",
        tracks(rows, Math.min(-3, ...z), Math.max(3, ...z))];
    },
    type(place) {
      const { words, boundaries, parts: both } = all.type;
      if (!words[place]) return ["Not told: see the remarks."];
      const highest = Math.max(...boundaries.map(Number), ...both.flatMap((of) => of[place] ?? []), 0.1);
      const rows = both.map((of, kind) => {
        const [value, low, high] = of[place] ?? [null, null, null];
        return { name: `type ${["I", "II"][kind]}`, value, words: value === null ? "" : low === null ? short(value) : `${short(value)} (${short(low)} to ${short(high)})`, ends: [low, high], bound: boundaries[kind] };
      });
      return [`Response: ${words[place]}. Bars are 90 % intervals, ticks the boundaries (${boundaries.filter((each) => each !== null).map(short).join(" and ")}).`, tracks(rows, 0, highest)];
    },
    modules(place) {
      const shares = all.modules.values[place];
      if (shares === null) return ["Not scored."];
      const rows = all.modules.names.map((name, each) => ({ name, value: shares[each],
        words: `${Math.round(100 * shares[each])} %`, from: 0, bound: all.modules.cutoffs[each] }));
      return ["Share of a module's genes that are raised over the controls; ticks are the cut-offs.", tracks(rows, 0, 1)];
    },
    factors(place) {
      const own = all.factors.values[place];
      if (own === null) return ["Not known."];
      const rows = all.factors.names.map((name, factor) => {
        const others = all.factors.values.filter((row, number) => row !== null && row[factor] !== null && number !== place);
        const share = Math.round(100 * others.filter((row) => row[factor] < own[factor]).length / (others.length || 1));
        return { name, value: share, words: `${signed(own[factor])} (above ${share} %)`, bound: 50 };
      });
      return ["Where this person lies among all people: the share of the others with a lower value.", tracks(rows, 0, 100)];
    },
    stratum(place) {
      const { names: strata, confidence, stability } = all.stratum;
      if (!strata[place]) return ["No stratum."];
      const said = [strata[place]];
      if (confidence[place] !== null) said.push(`probability ${confidence[place]}`);
      if (stability && stability[place] !== null) said.push(`in the same stratum in ${Math.round(100 * stability[place])} % of the resamples`);
      return [`${said.join("; ")}.`];
    },
    views(place) {
      const { names: views, measured } = all.views, of = (mark) => views.filter((view, each) => measured[place][each] === mark);
      const missing = of("0");
      return [`Measured: ${of("1").join(", ") || "nothing"}.${missing.length ? ` Not measured: ${missing.join(", ")}.` : ""}`];
    },
  };

  function fill(name) {
    const place = names.indexOf(name), [group, ...line] = data.people[name];
    document.getElementById("profile-name").textContent = name;
    part("who-it-is").textContent = [data.groups[group][0], ...line.map((value, each) => value && `${data.fields[each]} ${value}`)].filter(Boolean).join(" \u00b7 ");
    for (const [key, build] of Object.entries(parts)) {
      const section = part(key);
      section.hidden = !(key in all);
      if (section.hidden) continue;
      const [said, drawn] = build(place, group);
      section.querySelector(".said").textContent = said;
      section.querySelector(".drawn")?.replaceChildren(...(drawn ? [drawn] : []));
    }
    const near = part("neighbours"), found = all.stratum?.neighbours[place] ?? [];
    near.replaceChildren(...(found.length ? ["Nearest people by the factors of the strata: "] : []));
    found.forEach((other, each) => near.append(each ? ", " : "", made("a", { href: anchor(names[other]) }, names[other]), ` (${data.groups[data.people[names[other]][0]][0]})`));
    const remarks = all.remarks[place];
    part("remarks").replaceChildren(...(remarks.length ? remarks : ["No remark."]).map((remark) => made("li", {}, remark)));
    part("sheet").hidden = !all.sheet;
    part("sheet").querySelector("dl").replaceChildren(...(all.sheet ? all.sheet.names.flatMap((title, each) => [made("dt", {}, title), made("dd", {}, all.sheet.values[each][place] || "not known")]) : []));
  }

  const wanted = () => names.find((name) => anchor(name) === location.hash);

  function follow() {
    const name = wanted();
    if (name === undefined) return dialog.open && dialog.close();
    fill(name);
    document.documentElement.classList.add("profile-open");
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    document.dispatchEvent(new CustomEvent("person", { detail: name }));
  }

  // without a jump to the row of the table
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#person-']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    follow();
  });
  dialog.addEventListener("close", () => {
    document.documentElement.classList.remove("profile-open");
    if (wanted() !== undefined) history.replaceState(null, "", "#patients");
  });
  part("close").addEventListener("click", () => dialog.close());
  part("print").addEventListener("click", () => window.print());
  window.addEventListener("hashchange", follow);
  window.addEventListener("popstate", follow);
  follow();
})();
