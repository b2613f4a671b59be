"use strict";
// Sorts, filters, counts, copies and downloads the tables of people, and sorts other long ones.
(() => {
  const text = (value) => (typeof value === "string" ? DataTable.util.stripHtml(value).trim() : value);
  const number = (value) => (value !== "" && Number.isFinite(Number(value)) ? Number(value) : null);
  const inOrder = (sign) => (one, other) => {
    const [a, b] = [text(one), text(other)], [x, y] = [number(a), number(b)];
    // what is not known comes last, whichever way the others are sorted
    if (a === "" || b === "") return (a === "") - (b === "");
    if (x !== null && y !== null) return sign * (x - y);
    return sign * a.localeCompare(b, "en", { numeric: true });
  };
  DataTable.type("known", { search: text, order: { asc: inOrder(1), desc: inOrder(-1) } });

  function accepts(wanted, exact) {
    const bound = wanted.match(/^(<=?|>=?)\s*(-?\d+(?:\.\d+)?)$/);
    if (bound) {
      const [, sign, limit] = bound, than = Number(limit);
      const holds = { "<": (x) => x < than, "<=": (x) => x <= than, ">": (x) => x > than, ">=": (x) => x >= than }[sign];
      return (value) => number(value) !== null && holds(number(value));
    }
    return exact ? (value) => value === wanted : (value) => value.toLowerCase().includes(wanted.toLowerCase());
  }

  function field(title, values) {
    const kinds = [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const few = kinds.length <= 12 && kinds.some((kind) => kind !== "" && number(kind) === null || /^\d$/.test(kind));
    const made = document.createElement(few ? "select" : "input");
    if (few) {
      made.append(new Option("all", ""));
      for (const kind of kinds.filter(Boolean)) made.append(new Option(kind, kind));
    } else {
      made.type = "search";
      made.size = 6;
      made.placeholder = values.every((value) => value === "" || number(value) !== null) ? "> 0.5" : "";
    }
    made.setAttribute("aria-label", `Filter by ${title}`);
    return made;
  }

  function filters(table) {
    const row = table.tHead.insertRow();
    row.dataset.dtOrder = "disable";
    return [...table.tHead.rows[0].cells].map((head, place) => {
      const values = [...table.tBodies[0].rows].map((line) => line.cells[place].textContent);
      const made = field(head.textContent, values);
      row.insertCell().append(made);
      return made;
    });
  }

  function prepare(region) {
    const table = region.querySelector("table"), people = region.classList.contains("people");
    const fields = people ? filters(table) : [];
    const body = (data, row, column, node) => node.textContent;
    const header = (data, column) => table.tHead.rows[0].cells[column].querySelector(".dt-column-title").textContent;
    // the row of fields would repeat the titles
    const customize = (written) => (people ? written.slice(written.indexOf("\n") + 1) : written);
    const taken = { title: null, footer: false, customize, exportOptions: { format: { body, header } } };
    const file = { extension: ".tsv", fieldSeparator: "\t", fieldBoundary: "", filename: region.parentNode.id.replace(/^table-/, "") };
    const api = new DataTable(table, {
      autoWidth: false, paging: false, order: [], titleRow: 0,
      columnDefs: [{ targets: "_all", type: "known" }],
      layout: people ? {
        topStart: "search", bottomEnd: null, bottomStart: null,
        topEnd: { info: {}, buttons: [{ extend: "copy", ...taken }, { extend: "csv", text: "Download", ...taken, ...file }] },
      } : { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
      language: {
        search: "Search", info: "_TOTAL_ of _MAX_ rows", infoEmpty: "0 of _MAX_ rows", infoFiltered: "",
        zeroRecords: "No row matches.",
      },
    });
    fields.forEach((made, place) => made.addEventListener("input", () => {
      const wanted = made.value.trim(), accept = accepts(wanted, made.tagName === "SELECT");
      api.column(place).search.fixed("field", wanted === "" ? null : (value) => accept(text(value))).draw();
    }));
    // the controls do not scroll with the rows
    for (const controls of region.querySelectorAll(".dt-layout-row:not(.dt-layout-table)")) region.before(controls);
    if (!people) return;
    table.tBodies[0].addEventListener("click", (event) => {
      const link = event.target.closest("tr")?.querySelector("a");
      if (link && !event.target.closest("a") && getSelection().isCollapsed) link.click();
    });
  }

  for (const region of document.querySelectorAll(".table.people, .table.long")) prepare(region);
})();
