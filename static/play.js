// Ripples: twenty rings spread from the fountain, one after the other, and each is to be stopped on the dotted line.
// Fair: every game has the same twenty lines in an order of its own, and the same speeds; a perfect one is 1,000 points.
const RINGS = 20, MOST = 50, REST = 900, READY = 600; // ms: a ring's points are seen, the next line is seen
const LINES = Array.from({ length: RINGS }, (_, n) => 0.4 + (0.55 * n) / (RINGS - 1)); // of the way to the edge
const speed = (n) => 0.4 + 0.025 * n; // ways to the edge a second

const game = document.querySelector("[data-game]");
const part = (name) => game.querySelector(`[data-${name}]`);
const [stage, word, said, pause, end, marks] = ["stage", "word", "said", "pause", "end", "marks"].map(part);
const number = new Intl.NumberFormat(document.documentElement.lang);

// A game is a handful of numbers; `since` and `until` are moments in ms, as frames and presses are told.
let lines = [], ring = 0, score = 0, radius = 0, since = 0, until = 0, before = "", id = "";

function enter(state) {
  game.dataset.state = state;
}

function tell(text, aloud = text) {
  word.textContent = text;
  if (aloud) said.textContent = aloud;
}

function draw(name, radius, width) {
  const circle = part(name);
  circle.setAttribute("r", 96 * radius);
  if (width !== undefined) circle.setAttribute("stroke-width", 96 * width);
}

function count() {
  part("ring").textContent = number.format(Math.min(ring + 1, RINGS));
  part("score").textContent = number.format(score);
}

function start(now) {
  lines = LINES.slice();
  for (let n = RINGS - 1; n > 0; n--) {
    const other = Math.floor(Math.random() * (n + 1));
    [lines[n], lines[other]] = [lines[other], lines[n]];
  }
  // crypto.randomUUID is not there on plain http; the id says which game it was, however often its score is sent.
  id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  [ring, score] = [0, 0];
  for (const bar of marks.children) bar.setAttribute("height", 0);
  end.hidden = true;
  ready(now);
  requestAnimationFrame(frame);
}

function ready(now) {
  enter("ready");
  [since, radius] = [now + READY, 0];
  draw("line", lines[ring]);
  draw("ripple", 0);
  tell("");
  count();
}

function stop(now) {
  radius = Math.max(0, ((now - since) / 1000) * speed(ring));
  const error = Math.abs(radius - lines[ring]), late = radius >= 1;
  const points = late ? 0 : error < 0.01 ? MOST : Math.round(MOST * Math.max(0, 1 - error / 0.2) ** 1.5);
  score += points;
  enter("seen");
  until = now + REST;
  draw("ripple", Math.min(radius, 1));
  draw("band", (radius + lines[ring]) / 2, error);
  const bar = marks.children[ring];
  bar.setAttribute("height", Math.max(1, points));
  bar.setAttribute("y", MOST - Math.max(1, points));
  const praise = late ? `${game.dataset.late} ` : points === MOST ? `${game.dataset.perfect} ` : "";
  tell(`${praise}+${points}`);
  count();
}

function frame(now) {
  const { state } = game.dataset;
  if (state === "ready" && now >= since) enter("running");
  if (state === "running") {
    radius = ((now - since) / 1000) * speed(ring);
    draw("ripple", Math.min(radius, 1));
    if (radius >= 1) stop(now);
  }
  if (state === "seen" && now >= until) {
    ring++;
    if (ring === RINGS) return finish(now);
    ready(now);
  }
  if (state !== "paused") requestAnimationFrame(frame);
}

function halt() {
  before = game.dataset.state;
  if (!["ready", "running", "seen"].includes(before)) return;
  enter("paused");
  tell(game.dataset.paused);
}

function resume(now) {
  if (before === "seen") {
    enter("seen");
    until = now;
  } else ready(now); // a ring that was under way begins again
  requestAnimationFrame(frame);
}

function finish(now) {
  enter("over");
  until = now + REST; // who still presses in haste does not begin anew
  tell(game.dataset.again, "");
  part("total").textContent = number.format(score);
  keep([...kept(), { id, score, by: me }]);
  show("sending");
  send();
}

function press(now) {
  const { state } = game.dataset;
  if (state === "idle" || (state === "over" && now > until)) start(now);
  else if (state === "running") stop(now);
  else if (state === "paused") resume(now);
}

stage.addEventListener("pointerdown", (event) => press(event.timeStamp));
stage.addEventListener("click", (event) => event.detail || press(event.timeStamp)); // only of who has no pointer
pause.addEventListener("click", ({ timeStamp }) => (game.dataset.state === "paused" ? resume(timeStamp) : halt()));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, a, button:not([data-stage])")) return;
  if (event.key === " " || event.key === "Enter") {
    if (event.key === "Enter" && event.target !== stage) return;
    event.preventDefault();
    if (!event.repeat) press(event.timeStamp);
  } else if (event.key === "Escape" || event.key.toLowerCase() === "p") {
    if (game.dataset.state === "paused") resume(event.timeStamp);
    else halt();
  }
});
addEventListener("blur", halt);
document.addEventListener("visibilitychange", () => document.hidden && halt());

// Scores wait in this browser until the site has them: at most twenty. `by` is the member who played, 0 for a visitor, whose
// games count for who signs in next.
const KEY = `plaza.${game.dataset.board}`;
let me = 0, memory = [], sending = false, later = 0;

function kept() {
  try {
    const games = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(games) ? games : [];
  } catch {
    return memory; // no storage, or not ours
  }
}

function keep(games) {
  memory = games.slice(-20);
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {} // it lasts as long as the page
}

function show(state, standing = {}) {
  end.hidden = false;
  for (const text of end.querySelectorAll("[data-when]")) text.hidden = text.dataset.when !== state;
  for (const place of end.querySelectorAll(`[data-when="${state}"] [data-fill]`)) {
    place.textContent = number.format(standing[place.dataset.fill]);
  }
}

async function send() {
  if (sending) return;
  if (!document.cookie.split("; ").includes("member=1")) return show("visitor");
  sending = true;
  clearTimeout(later);
  try {
    for (const { id, score, by } of kept().filter(({ by }) => !by || by === me)) {
      const answer = await fetch(game.dataset.scores, {
        method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ score, id }), signal: AbortSignal.timeout(10_000),
      });
      if (answer.status === 401) return show("visitor");
      if (answer.status === 429 || answer.status >= 500) return wait(answer.headers.get("Retry-After"));
      const told = await answer.json();
      keep(kept().filter((game) => game.id !== id));
      if (!answer.ok) {
        part("why").textContent = Object.values(told.errors ?? {})[0] ?? told.detail ?? "";
        show("refused");
      } else show(told.standing?.players ? "placed" : "sent", told.standing);
    }
  } catch {
    wait();
  } finally {
    sending = false;
  }
}

function wait(seconds) {
  show("kept");
  later = setTimeout(send, 1000 * (Number(seconds) || 30));
}

addEventListener("online", send);
document.addEventListener("me", ({ detail }) => {
  me = detail.user.id;
  if (kept().length) send();
});
enter("idle");
