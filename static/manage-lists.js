// Comforts of the manage lists; they work without. Ticking all, ticking a run with Shift, and how many are ticked.
for (const list of document.querySelectorAll("[data-list]")) {
  const boxes = [...list.querySelectorAll("input[name=ids]")];
  const all = list.querySelector("[data-tick-all]");
  const number = list.querySelector("[data-ticked]");
  const buttons = list.querySelectorAll("button[name=action]");
  let last = null;

  function count() {
    const ticked = boxes.filter((box) => box.checked).length;
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    if (number) {
      number.hidden = !ticked;
      number.textContent = ticked || "";
    }
    for (const button of buttons) button.disabled = !ticked;
  }

  all?.closest("label").toggleAttribute("hidden", !boxes.length);
  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  list.addEventListener("click", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    if (event.shiftKey && last !== null) {
      const [from, to] = [Math.min(last, at), Math.max(last, at)];
      for (const box of boxes.slice(from, to + 1)) box.checked = event.target.checked;
    }
    last = at;
    count();
  });
  addEventListener("pageshow", count); // a page from the browser's memory keeps its ticks
  count();
}
