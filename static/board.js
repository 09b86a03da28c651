// One's own place on a board: the page is the same for everybody, so the place comes with what me.js asks for.
document.addEventListener("me", ({ detail: { boards = {} } }) => {
  for (const place of document.querySelectorAll("[data-own]")) {
    const own = boards[place.dataset.own];
    if (!own) continue;
    place.querySelector("[data-words]").textContent = own.words;
    for (const { rank, name, href, score, you } of own.around) {
      const row = document.getElementById("page-place").content.firstElementChild.cloneNode(true);
      const link = row.querySelector("a");
      [row.cells[0].textContent, link.textContent, row.cells[2].textContent] = [rank, name, score];
      link.href = href;
      if (you) row.ariaCurrent = "true";
      place.querySelector("[data-around]").append(row);
    }
    place.querySelector("table")?.toggleAttribute("hidden", !own.around.length);
    place.hidden = false;
  }
});
