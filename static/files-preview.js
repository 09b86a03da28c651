// What the page of a file has for its owner and for operators, and the address of a resized copy without leaving the page.
document.addEventListener("me", ({ detail: { links } }) => {
  const own = links.find(({ rel }) => rel === "file");
  const place = document.querySelector("[data-file]");
  if (!own || !place) return;
  const tool = document.getElementById("page-file-tools").content.cloneNode(true);
  tool.querySelector("form").action = own.href;
  place.replaceChildren(tool);
});

const form = document.querySelector("[data-resize]");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = form.querySelector("[data-said]");
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = form.dataset.going;
  try {
    const query = new URLSearchParams(new FormData(form));
    const answer = await fetch(`${form.action}?${query}`, { signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw await answer.json();
    const text = (await answer.text()).trim();
    const link = Object.assign(document.createElement("a"), { href: new URL(text).pathname, textContent: text });
    said.replaceChildren(link);
  } catch ({ errors = {}, detail }) {
    said.textContent = Object.values(errors)[0] ?? detail ?? form.dataset.failed;
  } finally {
    button.disabled = false;
  }
});
