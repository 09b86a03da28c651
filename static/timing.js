// For staff: how long this page takes to make. The page is the same for all, so it is made once more, for them alone.
function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function row(cells, tag = "td") {
  return make("tr", {}, ...cells.map((cell) => make(tag, {}, cell)));
}

function show({ ms, level, status, request, route, heading, remembered, columns, spans }) {
  const head = make("thead", {}, row(columns, "th"));
  const body = make("tbody", {}, ...spans.map(([at, took, kind, what]) => row([at, took, kind, make("code", {}, what)])));
  const facts = make("p", {}, `${route} · ${status} · ${request}`);
  const panel = make("div", { tabIndex: 0 }, make("p", {}, heading), make("p", {}, remembered), facts, make("table", {}, head, body));
  panel.role = "group";
  panel.ariaLabel = heading;
  const badge = make("details", {}, make("summary", { className: level }, `${Math.round(ms)} ms`), panel);
  const aside = make("aside", { className: "timing" }, badge);
  aside.ariaLabel = heading;
  badge.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    badge.open = false;
    badge.firstChild.focus();
  });
  document.body.append(aside);
}

const answer = await fetch(location.href, { headers: { "X-Plaza-Timing": "1" }, cache: "no-store" });
if (answer.headers.get("Content-Type")?.startsWith("application/json")) {
  const times = await answer.json();
  if (times.spans) show(times);
}
