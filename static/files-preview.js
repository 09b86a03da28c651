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
    const text = (await answer.text()).trim();
    if (!answer.ok) throw answer.status;
    const link = Object.assign(document.createElement("a"), { href: new URL(text, location).pathname, textContent: text });
    said.replaceChildren(link);
  } catch (status) {
    said.textContent = { 401: form.dataset.signedOut, 422: form.dataset.enough, 429: form.dataset.often }[status] ?? form.dataset.failed;
  } finally {
    button.disabled = false;
  }
});
