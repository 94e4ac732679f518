/* A field to filter and headings to sort by, for every table.ntk-browse. The table is complete without it.
   A classic script, so that it also runs from a file on disk; nothing is fetched. */
(function () {
  "use strict";

  const text = (row, column) => row.cells[column].textContent.trim();

  function sort(table, rows, column, sign) {
    const order = (one, other) => text(one, column).localeCompare(text(other, column), "en", { numeric: true });
    rows.sort((one, other) => sign * order(one, other));
    rows.forEach((row) => table.tBodies[0].append(row));
  }

  function headings(table, rows) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent.trim();
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, rows, column, down ? -1 : 1);
      });
      head.replaceChildren(button);
    });
  }

  function filter(table, rows, name) {
    const line = document.createElement("p");
    const label = document.createElement("label");
    const field = document.createElement("input");
    const count = document.createElement("output");
    line.className = "ntk-filter";
    label.htmlFor = count.htmlFor = field.id = name;
    label.textContent = "Filter";
    field.type = "search";
    field.autocomplete = "off";
    count.setAttribute("aria-live", "polite");
    const show = () => {
      const words = field.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const content = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => content.includes(word));
      });
      count.textContent = rows.filter((row) => !row.hidden).length + " of " + rows.length;
    };
    field.addEventListener("input", show);
    show();
    line.append(label, " ", field, " ", count);
    const box = table.closest(".pst-scrollable-table-container");
    if (box) {
      // The theme lets the keyboard scroll a table that is wider than the page; so it has to have a name.
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", "Table, can be scrolled sideways");
    }
    (box || table).before(line);
  }

  document.querySelectorAll("table.ntk-browse").forEach((table, place) => {
    const rows = Array.from(table.tBodies[0].rows);
    headings(table, rows);
    filter(table, rows, "ntk-filter-" + place);
  });

  /* A table that scrolls in its box can be reached by keyboard: then its box says what it is. */
  document.querySelectorAll(".pst-scrollable-table-container").forEach((box, place) => {
    if (!box.hasAttribute("role")) {
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", "table " + (place + 1));
    }
  });
})();
