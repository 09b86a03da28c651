// Uploads with comfort: files dropped anywhere on the page, an image pasted, several one after the other, each with its bar,
// and a link to copy at the end. The form works without.
const form = document.querySelector(".upload");
const list = document.querySelector("[data-sent-list]");
const over = document.querySelector("[data-over]");
const said = document.querySelector("[data-said]");
const line = document.getElementById("page-sent").content.firstElementChild;
const member = document.cookie.split("; ").includes("member=1");
const queue = [];
let busy = false;

// What is pasted has no name of its own, or the same one each time.
function named(file) {
  const at = new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", "-");
  const [, suffix] = /^image\.(\w+)$/.exec(file.name) ?? [];
  return suffix ? new File([file], `${form.dataset.pasted} ${at}.${suffix}`, { type: file.type }) : file;
}

function add(files) {
  const { w, h, expires } = form.elements;
  const fields = { expires: expires.value, ...(w.value && { w: w.value }), ...(h.value && { h: h.value }) };
  for (const file of files) {
    const row = line.cloneNode(true);
    const part = (name) => row.querySelector(`[data-${name}]`);
    part("name").textContent = file.name;
    list.append(row);
    const job = { file, fields, row, part };
    part("stop").addEventListener("click", () => stop(job));
    part("again").addEventListener("click", () => enqueue(job));
    enqueue(job);
  }
  list.hidden = !list.children.length;
}

function enqueue(job) {
  job.aborting = new AbortController();
  job.row.querySelector("progress").value = 0;
  show(job, "waiting", form.dataset.waiting);
  queue.push(job);
  next();
}

// One at a time: the first one is there as soon as can be.
function next() {
  if (busy || !queue.length) return;
  busy = true;
  const job = queue.shift();
  const bar = job.row.querySelector("progress");
  const ended = () => {
    busy = false;
    next();
  };
  job.over = ended;
  show(job, "going", "0%");
  const detail = {
    file: job.file, form, fields: job.fields, signal: job.aborting.signal,
    progress: (share) => {
      bar.value = share;
      job.part("state").textContent = `${Math.floor(100 * share)}%`;
    },
    done: (reply) => {
      give(job, reply);
      ended();
    },
    failed: (text, again) => {
      show(job, again ? "failed" : "refused", text);
      tell(text);
      ended();
    },
  };
  document.dispatchEvent(new CustomEvent("send", { detail }));
}

function stop(job) {
  const waits = queue.indexOf(job);
  job.aborting.abort();
  show(job, "failed", form.dataset.stopped);
  job.part("again").focus();
  if (waits >= 0) queue.splice(waits, 1);
  else job.over();
}

function show({ row, part }, state, text) {
  row.dataset.is = state;
  part("state").textContent = text;
  row.querySelector("progress").hidden = state !== "going";
  part("stop").hidden = !["waiting", "going"].includes(state);
  part("again").hidden = state !== "failed";
}

function give(job, { url_s, url_p }) {
  show(job, "done", form.dataset.done);
  const link = job.part("link");
  const [field, button, open] = link.children;
  field.value = url_s;
  field.addEventListener("focus", () => field.select());
  open.href = url_p;
  button.hidden = !navigator.clipboard;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(url_s);
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = words), 2000);
  });
  link.hidden = false;
  tell(`${job.file.name}: ${form.dataset.done}. ${url_s}`);
}

function tell(text) {
  said.textContent = text;
}

if (member) {
  for (const words of document.querySelectorAll("[data-scripted]")) words.hidden = false;
  const chosen = form.elements.file;
  chosen.multiple = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(chosen.files);
    chosen.value = "";
  });

  // A file that is dropped beside the field would else be opened in place of this page.
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // enter and leave come for each element on the way
  addEventListener("dragenter", (event) => brings(event) && (over.hidden = !++depth));
  addEventListener("dragleave", (event) => brings(event) && (over.hidden = !(depth = Math.max(0, depth - 1))));
  addEventListener("dragover", (event) => brings(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    over.hidden = !(depth = 0);
    add(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (!files.length) return;
    event.preventDefault();
    add([...files].map(named));
  });
  addEventListener("beforeunload", (event) => busy && event.preventDefault());
}
