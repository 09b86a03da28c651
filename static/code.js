// A button on each block of code that copies it.
const article = document.querySelector("[data-copy]");

for (const block of navigator.clipboard ? document.querySelectorAll(".prose .highlight") : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = article.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").textContent);
    button.textContent = article.dataset.copied;
    setTimeout(() => (button.textContent = article.dataset.copy), 2000);
  });
  block.append(button);
}
