/* Puts the reader's hand on every figure.ntk-width (ntk_teach/interactive writes them, complete for one width).
   A classic script, so that it also runs from a file on disk; nothing is fetched. */
(function () {
  "use strict";

  const GRID = 10000; // units of the drawing, as in bundle.py

  /* The numbers in the page: 16-bit integers, little-endian, [width][seed][point]. */
  function read(figure) {
    const parsed = (name) => JSON.parse(figure.dataset[name]);
    const bytes = Uint8Array.from(atob(figure.dataset.curves), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return {
      widths: parsed("widths"),
      tints: parsed("tints"),
      across: parsed("across"),
      range: parsed("range"),
      step: parsed("step"),
      readings: parsed("readings"),
      stored: (place) => view.getInt16(2 * place, true),
    };
  }

  /* One curve as path data: bundle.py computes the same, operation by operation. */
  function path(data, curve) {
    const [low, high] = data.range;
    const first = curve * data.across.length;
    const points = data.across.map((x, point) => {
      const value = data.stored(first + point) * data.step;
      return x + " " + Math.floor((GRID * (high - value)) / (high - low) + 0.5);
    });
    return "M" + points.join("L");
  }

  function show(figure, data, index) {
    const curves = figure.querySelectorAll(".ntk-networks path");
    curves.forEach((element, seed) => element.setAttribute("d", path(data, index * curves.length + seed)));
    figure.querySelectorAll(".ntk-networks").forEach((group) => {
      group.style.stroke = "var(--ntk-net-" + data.tints[index] + ")";
    });
    const width = String(data.widths[index]);
    figure.querySelector(".ntk-n").textContent = width;
    figure.querySelector("input").setAttribute("aria-valuetext", "width " + width);
    const values = [width].concat(data.readings[index]);
    figure.querySelectorAll(".ntk-reading b").forEach((element, place) => {
      element.textContent = values[place];
    });
  }

  document.querySelectorAll("figure.ntk-width").forEach((figure) => {
    const data = read(figure);
    const slider = figure.querySelector("input");
    slider.addEventListener("input", () => show(figure, data, Number(slider.value)));
    figure.querySelector(".ntk-control").hidden = false;
    figure.querySelector(".ntk-still").hidden = true;
  });
})();
