// The editor: the text as readers will see it, and nothing that was typed is lost. The form works without.
const form = document.querySelector("[data-editor]");
const texts = form.dataset;
const fields = ["title", "summary", "tags", "body"].map((name) => form.elements[name]);
const id = form.elements.id?.value ?? "0";
const place = `plaza-typed-${id}`; // where this browser keeps what the site could not be sent
const state = form.querySelector("[data-state]");
const seen = form.querySelector("[data-seen]");
const values = () => Object.fromEntries(fields.map((field) => [field.name, field.value]));
const say = (text) => (state.textContent = text);

// As readers will see it: drawn by the site itself, the sooner the faster it draws. What comes is sanitised, and scripts
// in a parsed document do not run.
let drawing = null;
let wait = 250; // ms
let drawn = form.elements.body.value;

async function draw() {
  if (form.elements.body.value === drawn) return;
  drawing?.abort();
  drawing = new AbortController();
  const body = form.elements.body.value;
  const began = Date.now();
  const answer = await fetch(texts.render, { method: "POST", body: new URLSearchParams({ body }), signal: drawing.signal });
  if (!answer.ok) return;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  seen.replaceChildren(...parsed.body.childNodes);
  drawn = body;
  wait = Math.min(3000, Math.max(250, 2 * (Date.now() - began)));
}

// Kept on the site two seconds after the last key, and every five while typing goes on; in this browser when that fails.
let kept = JSON.stringify(values());
let keeping = null;
let due = 0;
let sent = false;
let tried = Date.now();

function keepHere(typed) {
  try {
    localStorage.setItem(place, JSON.stringify({ ...typed, version: form.elements.version?.value }));
  } catch {
    // No room or not allowed: leaving the page asks first.
  }
}

function keptHere() {
  try {
    return JSON.parse(localStorage.getItem(place));
  } catch {
    return null;
  }
}

async function keep() {
  clearTimeout(due);
  due = 0;
  tried = Date.now();
  const typed = values();
  const text = JSON.stringify(typed);
  if (sent || text === kept) return;
  if (texts.keeping === "no") {
    // Earlier unsaved text waits above for a decision: it is not overwritten before.
    keepHere(typed);
    kept = text;
    return say(texts.first);
  }
  keeping?.abort();
  keeping = new AbortController();
  const body = JSON.stringify({ id, version: form.elements.version?.value ?? "0", ...typed });
  try {
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body, signal: keeping.signal };
    const answer = await fetch(texts.autosave, { ...options, keepalive: body.length < 20000 });
    if (!answer.ok) throw answer;
    kept = text;
    localStorage.removeItem(place);
    const at = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    say(texts.kept.replace("{time}", at));
  } catch (error) {
    if (error.name === "AbortError") return;
    keepHere(typed);
    say([401, 403].includes(error.status) ? texts.out : texts.lost);
    due = setTimeout(keep, 5000);
  }
}

form.addEventListener("input", (event) => {
  if (event.target === form.elements.title) form.querySelector("[data-seen-title]").textContent = event.target.value;
  clearTimeout(form.drawing);
  form.drawing = setTimeout(() => draw().catch(() => {}), wait);
  if (!fields.includes(event.target)) return;
  if (!due) say(texts.typing);
  clearTimeout(due);
  due = setTimeout(keep, Date.now() - tried > 5000 ? 200 : 2000);
});
document.addEventListener("visibilitychange", () => document.hidden && due && keep());

// A form that is sent is the site's; what arrived there after it would be offered as unsaved text.
form.addEventListener("submit", () => {
  sent = true;
  clearTimeout(due);
  keeping?.abort();
});
addEventListener("pageshow", () => (sent = false));
addEventListener("beforeunload", (event) => {
  if (!sent && JSON.stringify(values()) !== kept) event.preventDefault();
});
form.querySelector("[data-by-hand]").remove(); // else Enter would press it

// The preview follows the text.
form.elements.body.addEventListener("scroll", ({ target }) => {
  const pane = seen.parentElement;
  const share = target.scrollTop / Math.max(1, target.scrollHeight - target.clientHeight);
  pane.scrollTop = share * (pane.scrollHeight - pane.clientHeight);
});

// A table pasted from a page or a sheet becomes one in Markdown, and the text around it stays what it is.
const bare = (node) => node.textContent.replace(/\s+/g, "");
form.elements.body.addEventListener("paste", (event) => {
  const page = new DOMParser().parseFromString(event.clipboardData.getData("text/html"), "text/html").body;
  const plain = event.clipboardData.getData("text/plain").replaceAll("\r", "");
  let text = plain;
  for (const table of page.querySelectorAll("table")) {
    if (table.rows.length < 2 || !table.rows[0].cells.length) continue;
    const cell = ({ textContent }) => textContent.trim().replace(/\s+/g, " ").replaceAll("|", "\\|");
    const rows = [...table.rows].map((row) => `| ${[...row.cells].map(cell).join(" | ")} |`);
    rows.splice(1, 0, `|${" --- |".repeat(table.rows[0].cells.length)}`);
    const drawn = `\n${rows.join("\n")}\n\n`;
    const letters = [...bare(table)].map((one) => one.replace(/\W/, "\\$&"));
    text = bare(page) === bare(table) ? drawn : text.replace(new RegExp(letters.join("\\s*")), () => drawn);
  }
  if (text === plain) return;
  event.preventDefault();
  // Of all ways to insert this one alone can be undone by Ctrl+Z.
  document.execCommand("insertText", false, text);
});

// What this browser kept when the site could not be reached.
const box = document.querySelector("[data-kept-here]");
const here = keptHere();
if (here && fields.some((field) => here[field.name] !== field.value)) box.hidden = false;
box.querySelector("[data-take]").addEventListener("click", () => {
  for (const field of fields) field.value = here[field.name] ?? "";
  if (form.elements.version && here.version) form.elements.version.value = here.version; // so that two editors are told
  box.hidden = true;
  form.elements.body.dispatchEvent(new Event("input", { bubbles: true }));
});
box.querySelector("[data-drop]").addEventListener("click", () => {
  localStorage.removeItem(place);
  box.hidden = true;
});
