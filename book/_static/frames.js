/* Puts the reader's hand on every figure.ntk-frames (ntk_teach/interactive writes them, complete for one frame).
   A classic script, so that it also runs from a file on disk; nothing is fetched. */
(function () {
  "use strict";

  function show(figure, index) {
    const frames = figure.querySelectorAll(".ntk-frame");
    frames.forEach((frame, place) => {
      frame.hidden = place !== index;
    });
    figure.querySelector("input").setAttribute("aria-valuetext", frames[index].dataset.value);
    figure.querySelector(".ntk-line").textContent = frames[index].dataset.line;
  }

  document.querySelectorAll("figure.ntk-frames").forEach((figure) => {
    const slider = figure.querySelector("input");
    slider.addEventListener("input", () => show(figure, Number(slider.value)));
    figure.querySelector(".ntk-control").hidden = false;
    figure.querySelector(".ntk-still").hidden = true;
  });
})();
