// What belongs to one visitor: public pages are the same bytes for everybody, so this asks once who is looking,
// and only when the cookie member=1 says that somebody is signed in.
const nav = document.querySelector("[data-me]");
const member = document.cookie.split("; ").includes("member=1");

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function picture(user) {
  if (user.image) return make("img", { className: "avatar", src: user.image, alt: "", width: 40, height: 40 });
  const letter = [...user.name.trim()][0] ?? "?";
  const circle = make("span", { className: `avatar hue-${user.id % 12}` }, letter.toUpperCase());
  circle.ariaHidden = "true";
  return circle;
}

function greet({ user, links }) {
  const shown = links.filter(({ rel }) => rel === "manage").map(({ href, text }) => make("a", { href }, text));
  const href = links.find(({ rel }) => rel === "account")?.href ?? nav.dataset.account;
  nav.replaceChildren(...shown, make("a", { className: "person", href }, picture(user), make("span", {}, user.name)));
}

function equip({ links, comments = {} }) {
  const place = document.querySelector("[data-post]");
  place?.append(...links.filter(({ rel }) => rel === "edit").map(({ href, text }) => make("a", { href }, text)));
  const tools = document.getElementById("page-comment-tools");
  for (const [id, may] of tools ? Object.entries(comments) : []) {
    const piece = tools.content.cloneNode(true);
    for (const tool of piece.querySelectorAll("[data-may]")) {
      const name = tool.localName === "a" ? "href" : "action";
      tool.setAttribute(name, tool.getAttribute(name).replace("/0/", `/${id}/`));
      if (!may.includes(tool.dataset.may)) tool.remove();
    }
    document.querySelector(`[data-comment="${id}"]`)?.replaceChildren(piece);
  }
}

function invite() {
  for (const element of document.querySelectorAll("[data-members]")) element.hidden = true;
  for (const element of document.querySelectorAll("[data-visitors]")) element.hidden = false;
}

async function ask() {
  const address = `${nav.dataset.me}?on=${encodeURIComponent(location.pathname + location.search)}`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) return; // the page as it came serves as well
  const me = await answer.json();
  if (!me.user) return invite();
  greet(me);
  equip(me);
  document.dispatchEvent(new CustomEvent("me", { detail: me })); // for the scripts of some pages
  for (const src of me.scripts ?? []) document.head.append(make("script", { type: "module", src }));
  for (const href of me.styles ?? []) document.head.append(make("link", { rel: "stylesheet", href }));
}

if (nav && member) ask().catch(() => {});
else if (!member) invite();
