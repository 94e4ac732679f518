/* Puts the reader's hand on every figure.ntk-surface (ntk_teach/interactive writes them, complete from one side).
   A classic script, so that it also runs from a file on disk; nothing is fetched. */
(function () {
  "use strict";

  // As in relief.py: units of the drawing, the height of the surface, what makes every view fit, the tints.
  const GRID = 10000;
  const RISE = 1.3;
  const FIT = 1.25;
  const TINTS = 5;

  /* The numbers in the page: heights as unsigned 16-bit integers, little-endian, [a₁][a₂]. */
  function read(figure) {
    const bytes = Uint8Array.from(atob(figure.dataset.heights), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const readings = JSON.parse(figure.dataset.readings);
    const size = readings.length;
    return { size, last: size - 1, readings, height: (i, j) => view.getUint16(2 * (i * size + j), true) };
  }

  function path(points) {
    return "M" + points.map((point) => point[0] + " " + point[1]).join("L");
  }

  /* What relief.py computes, operation by operation. */
  function viewer(data, turn, tilt) {
    const radians = (degrees) => (degrees * Math.PI) / 180;
    const sin = Math.sin(radians(turn));
    const cos = Math.cos(radians(turn));
    const place = (i, j, height) => {
      const u = (2 * i) / data.last - 1;
      const v = (2 * j) / data.last - 1;
      const across = (u * cos - v * sin) / Math.sqrt(2);
      const away = (u * sin + v * cos) / Math.sqrt(2);
      const up = away * Math.sin(radians(tilt)) + (height / GRID - 0.5) * RISE * Math.cos(radians(tilt));
      const half = GRID / 2;
      return [Math.floor(half + (half * across) / FIT + 0.5), Math.floor(half - (half * up) / FIT + 0.5)];
    };
    const order = (backward) => Array.from({ length: data.last }, (_, k) => (backward ? data.last - 1 - k : k));
    return { place, rows: order(sin > 0), columns: order(cos > 0), sin, cos };
  }

  function drawScene(figure, data, turn, tilt, row) {
    const view = viewer(data, turn, tilt);
    const cells = figure.querySelectorAll(".ntk-cells path");
    let at = 0;
    view.rows.forEach((i) => {
      view.columns.forEach((j) => {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const heights = corners.map((corner) => data.height(corner[0], corner[1]));
        const mean = (heights[0] + heights[1] + heights[2] + heights[3]) / 4;
        const tint = Math.min(TINTS, 1 + Math.floor((TINTS * mean) / GRID));
        const points = corners.map((corner, k) => view.place(corner[0], corner[1], heights[k]));
        cells[at].setAttribute("d", path(points) + "z");
        cells[at].setAttribute("fill", "var(--ntk-net-" + tint + ")");
        at += 1;
      });
    });
    const last = data.last;
    const square = [[0, 0], [last, 0], [last, last], [0, last]].map((corner) => view.place(corner[0], corner[1], 0));
    figure.querySelector(".ntk-floor").setAttribute("d", path(square) + "z");
    const line = path(Array.from({ length: data.size }, (_, j) => view.place(row, j, data.height(row, j))));
    figure.querySelectorAll(".ntk-cut").forEach((element) => element.setAttribute("d", line));
    const near = view.cos > 0 ? -0.1 * last : 1.1 * last;
    const beside = view.sin > 0 ? -0.1 * last : 1.1 * last;
    const low = 0.06 * last;
    const high = 0.94 * last;
    const places = [[last / 2, near], [low, near], [high, near], [beside, last / 2], [beside, low], [beside, high]];
    figure.querySelectorAll(".ntk-names text").forEach((element, k) => {
      const point = view.place(places[k][0], places[k][1], 0);
      element.setAttribute("x", point[0] / 100 + "%");
      element.setAttribute("y", point[1] / 100 + "%");
    });
  }

  function drawCut(figure, data, row) {
    const points = Array.from({ length: data.size }, (_, j) => [
      Math.floor((GRID * j) / data.last + 0.5),
      GRID - data.height(row, j),
    ]);
    figure.querySelector(".ntk-curve").setAttribute("d", path(points));
    figure.querySelectorAll(".ntk-reading b").forEach((element, k) => {
      element.textContent = data.readings[row][k];
    });
  }

  document.querySelectorAll("figure.ntk-surface").forEach((figure) => {
    const data = read(figure);
    const [turn, tilt, row] = ["turn", "tilt", "row"].map((name) => figure.querySelector("input.ntk-" + name));
    const draw = () => drawScene(figure, data, Number(turn.value), Number(tilt.value), Number(row.value));
    [turn, tilt].forEach((slider) => {
      slider.addEventListener("input", () => {
        slider.setAttribute("aria-valuetext", slider.value + " degrees");
        draw();
      });
    });
    row.addEventListener("input", () => {
      row.setAttribute("aria-valuetext", "a₁ = " + data.readings[Number(row.value)][0]);
      draw();
      drawCut(figure, data, Number(row.value));
    });
    figure.querySelectorAll(".ntk-control").forEach((control) => {
      control.hidden = false;
    });
    figure.querySelector(".ntk-still").hidden = true;
  });
})();
