// Polls that are alive: votes are sent without leaving the page, bars move when others vote, and a link in a text is drawn as the poll.
const { lang } = document.documentElement;
const numbers = new Intl.NumberFormat(lang);
const told = (cookie) => document.cookie.split("; ").includes(`${cookie}=1`);
const member = told("member");
const own = new Map(); // what a box wants to know of one's own ballot, by the poll's id
const json = { headers: { Accept: "application/json" } };

const inWords = (n, pair) => pair.split("|")[n === 1 ? 0 : 1].replace("#", numbers.format(n));
const tongue = (text) => (/[\u3040-\u30ff]/.test(text) ? "ja" : /[\u4e00-\u9fff]/.test(text) ? "zh-CN" : "en");

// Shows a poll's state, and follows it: a form as _polls.html draws it.
function enliven(box) {
  const state = JSON.parse(box.dataset.state);
  const lines = [...box.querySelectorAll("[data-choice]")];
  const say = (text) => (box.querySelector("[data-told]").textContent = text);
  let touched = false; // somebody is choosing, so what they have chosen so far stays
  let line = null, pause = 500, refused = false, timer;

  function show() {
    const { status, rule, votes, voters, choices } = state;
    const open = status === "open", counted = Boolean(votes), voted = choices.length > 0, may = open && (member || state.visitors);
    const so = {
      may, counted, voted, new: !voted, invite: open && !may, closed: !open, multiple: state.kind === "multiple",
      visitors: open && state.visitors, [rule]: open && !counted,
    };
    for (const part of box.querySelectorAll("[data-if]")) part.toggleAttribute("hidden", !so[part.dataset.if]);
    box.querySelector("[data-total]").textContent = inWords(voters, box.dataset.voters);
    for (const [at, line] of lines.entries()) {
      const mine = choices.includes(Number(line.dataset.choice));
      line.querySelector("[data-mine]").hidden = !mine;
      if (!touched) line.querySelector("input").checked = mine;
      if (!counted) continue;
      const share = `${voters ? Math.round((100 * votes[at]) / voters) : 0}%`;
      line.querySelector("[data-count]").textContent = inWords(votes[at], box.dataset.votes);
      line.querySelector("[data-share]").textContent = share;
      line.querySelector("rect").setAttribute("width", share);
    }
  }

  function hear({ choices, ...news }) {
    if (choices) state.choices = choices;
    if (news.version >= state.version && (!news.votes || news.votes.length === lines.length)) Object.assign(state, news);
    show();
    listen();
  }

  box.addEventListener("change", () => (touched = true));
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (box.ariaBusy === "true") return;
    const button = box.querySelector("button");
    box.ariaBusy = button.ariaDisabled = "true";
    say("");
    try {
      const body = new URLSearchParams(new FormData(box));
      const answer = await fetch(box.action, { ...json, method: "POST", body, signal: AbortSignal.timeout(20_000) });
      const news = await answer.json();
      if (answer.ok) {
        touched = false;
        refused = false;
        hear(news);
      }
      say(answer.ok ? news.words : news.detail);
    } catch {
      say(box.dataset.failed);
    }
    box.ariaBusy = button.ariaDisabled = "false";
  });

  // News of the votes, while the page is looked at; after a pause that grows, and is never the same for all, when they break off.
  function listen() {
    const known = state.rule !== "after_vote" || state.votes;
    if (line || refused || document.hidden || state.status !== "open" || !known) return;
    clearTimeout(timer);
    line = new WebSocket(new URL(`/polls/${state.id}/live`, location.href.replace(/^http/, "ws")));
    line.onmessage = ({ data }) => {
      pause = 500;
      hear(JSON.parse(data));
    };
    line.onclose = ({ code }) => {
      line = null;
      refused = code === 4403; // not for who has not voted
      timer = setTimeout(listen, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, 30_000);
    };
  }
  document.addEventListener("visibilitychange", listen);

  own.set(String(state.id), hear);
  show();
  listen();
  return state;
}

async function askForOwn({ id, visitors }, address) {
  if (!member && !(visitors && told("voted"))) return;
  const answer = await fetch(`${address}?on=/polls/${id}`, json);
  if (answer.ok) tell((await answer.json()).polls);
}

function tell(polls = {}) {
  for (const [id, ballot] of Object.entries(polls)) own.get(id)?.(ballot);
}

document.addEventListener("me", ({ detail }) => tell(detail.polls));
for (const box of document.querySelectorAll("main > .frame .poll-box")) {
  const state = enliven(box);
  if (!member && !state.choices.length) askForOwn(state, document.querySelector("[data-me]")?.dataset.me).catch(() => {});
}

// In a text: the link becomes the poll when it comes near the view, and stays a link when that fails.
const blank = document.querySelector("template[data-polls]");

async function draw(link) {
  const answer = await fetch(blank.dataset.polls.replace(/0$/, link.dataset.poll), json);
  const { id, question, kind, results, choices, ...poll } = await answer.json();
  if (!answer.ok) return;
  const box = blank.content.firstElementChild.cloneNode(true);
  const votes = choices.every((choice) => choice.votes !== null) ? choices.map((choice) => choice.votes) : null;
  const state = { ...poll, id, kind, rule: results, votes, version: 0, choices: [] };
  box.dataset.state = JSON.stringify(state);
  box.action = box.getAttribute("action").replace("/0/", `/${id}/`);
  const title = box.querySelector("[data-question]"), list = box.querySelector("[data-choice]").parentElement;
  title.lang = tongue(question);
  title.firstElementChild.textContent = question;
  title.firstElementChild.href = link.href;
  const line = list.firstElementChild;
  list.replaceChildren(...choices.map(({ id, text }) => {
    const copy = line.cloneNode(true), input = copy.querySelector("input"), words = copy.querySelector("[data-text]");
    copy.dataset.choice = input.value = id;
    input.type = kind === "multiple" ? "checkbox" : "radio";
    [words.textContent, words.lang] = [text, tongue(text)];
    return copy;
  }));
  link.closest("p").replaceWith(box);
  enliven(box);
  await askForOwn(state, blank.dataset.me);
}

if (blank) {
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      draw(target).catch(() => {});
    }
  }, { rootMargin: "50%" });
  for (const link of document.querySelectorAll(".post .poll > a[data-poll]")) near.observe(link);
}
