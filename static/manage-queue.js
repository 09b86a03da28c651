// The queue of comments by keys: j and k move, a approves, t trashes, x ticks, u undoes. The buttons do the same without.
const queue = document.querySelector("[data-queue]");
const hint = document.querySelector("[data-keys]");
const box = hint?.querySelector("input");
const items = queue ? [...queue.children] : [];
const kept = "plaza-queue"; // where one was when a key sent the form: the list that comes back goes on from there

function at() {
  return items.findIndex((item) => item.contains(document.activeElement));
}

function go(index) {
  const item = items[Math.max(0, Math.min(index, items.length - 1))];
  item?.focus();
  item?.scrollIntoView({ block: "nearest" });
}

function press(button) {
  if (!button) return;
  sessionStorage.setItem(kept, at());
  button.click();
}

const keys = {
  j: () => go(at() + 1),
  k: () => go(at() - 1),
  a: () => press(items[at()]?.querySelector("[name=one][value^=approve]")),
  t: () => press(items[at()]?.querySelector("[name=one][value^=trash]")),
  x: () => items[at()]?.querySelector("[name=ids]").click(),
  u: () => press(document.querySelector("button[name=undo]")),
};

if (hint) {
  hint.hidden = false;
  box.checked = localStorage.getItem(kept) !== "off"; // single keys must be possible to turn off (WCAG 2.1.4)
  box.addEventListener("change", () => localStorage.setItem(kept, box.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  if (hint && !box.checked) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const act = Object.hasOwn(keys, event.key) && keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const was = sessionStorage.getItem(kept);
sessionStorage.removeItem(kept);
if (was !== null && box?.checked) go(Number(was));
