// Small comforts of forms; each form works without them.

// Ctrl+Enter (Cmd+Enter) sends the form one is writing in.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.matches?.("textarea")) return;
  const form = event.target.form;
  form?.requestSubmit(form.querySelector("button[value=save]"));
});

// What cannot be taken back lightly asks first; a form that was sent is not sent twice, and nothing is unsaved then.
let unsaved = false;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
  if (form.dataset.sent && Date.now() - form.dataset.sent < 3000) return event.preventDefault();
  form.dataset.sent = Date.now();
  unsaved = false;
});

// Leaving a form with text that was not sent asks first.
document.addEventListener("input", (event) => {
  if (event.target.form?.hasAttribute("data-guard")) unsaved = true;
});
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

// The first field with an error is where one goes on.
document.querySelector("[aria-invalid=true]")?.focus();

// What is shown to be copied is selected when one goes there, and copied by a button.
for (const field of document.querySelectorAll("input[data-copy]")) {
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) continue;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "second" });
  button.textContent = field.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    button.textContent = field.dataset.copied;
    setTimeout(() => (button.textContent = field.dataset.copy), 2000);
  });
  const line = Object.assign(document.createElement("p"), { className: "actions" });
  line.append(button);
  field.after(line);
}
