// Files that are dropped or pasted into the text of a form with `data-insert` are uploaded, and stand in it as an image or a
// link. While one is on its way a mark holds its place; who deletes the mark cancels it. Without script nothing changes.
const known = new WeakMap(); // what goes on in a form

// Of all ways to change a field this one alone can be undone by Ctrl+Z. Where one was writing, one goes on.
function replace(field, start, end, text) {
  const before = document.activeElement;
  const { selectionStart, selectionEnd, scrollTop } = field;
  const moved = (at) => (at >= end ? at + text.length - (end - start) : Math.min(at, start + text.length));
  field.focus({ preventScroll: true });
  field.setSelectionRange(start, end);
  document.execCommand(text ? "insertText" : "delete", false, text);
  field.setSelectionRange(moved(selectionStart), moved(selectionEnd));
  field.scrollTop = scrollTop;
  if (before && before !== field) before.focus({ preventScroll: true });
}

const clean = (name) => name.replace(/\s+/g, " ").replace(/[\\[\]`*_<>!|~#]/g, "\\$&");
const path = (address) => new URL(address).pathname;

function written(how, { name }, { type, url_i, url_p }) {
  return how === "image" && type === "image" ? `![${clean(name)}](${path(url_i)})` : `[${clean(name)}](${path(url_p)})`;
}

class Insertion {
  constructor(form, field) {
    [this.form, this.field, this.texts, this.queue, this.going] = [form, field, form.dataset, [], null];
    this.status = Object.assign(document.createElement("p"), { className: "quiet", role: "status" });
    this.bar = Object.assign(document.createElement("progress"), { max: 1 });
    this.stop = Object.assign(document.createElement("button"), { type: "button", className: "plain" });
    this.stop.textContent = this.texts.stop;
    this.stop.addEventListener("click", () => this.cancel());
    field.after(this.status);
  }

  take(files) {
    const { field, texts } = this;
    for (const file of files) {
      const mark = `[${texts.going.replace("{name}", clean(file.name))}]()`;
      replace(field, field.selectionStart, field.selectionEnd, mark);
      this.queue.push({ file, mark });
    }
    this.next();
  }

  next() {
    if (this.going || !this.queue.length) return;
    const job = (this.going = this.queue.shift());
    const { file } = job;
    job.aborting = new AbortController();
    this.bar.value = 0;
    this.say("quiet", `${this.texts.going.replace("{name}", file.name)} `, this.bar, " ", this.stop);
    const detail = {
      file, form: this.form, signal: job.aborting.signal,
      progress: (share) => (this.bar.value = share),
      done: (reply) => this.settle(job, written(this.texts.insert, file, reply), "quiet", this.texts.come.replace("{name}", file.name)),
      failed: (why) => this.settle(job, "", "error", why),
    };
    document.dispatchEvent(new CustomEvent("send", { detail }));
  }

  // The mark becomes what was to stand there.
  settle(job, text, kind, words) {
    this.going = null;
    this.say(kind, words);
    const at = this.field.value.indexOf(job.mark);
    if (at >= 0) replace(this.field, at, at + job.mark.length, text);
    this.next();
  }

  cancel() {
    const job = this.going;
    job.aborting.abort();
    this.settle(job, "", "quiet", "");
    this.field.focus();
  }

  say(kind, ...words) {
    this.status.className = kind;
    this.status.replaceChildren(...words);
  }
}

function insertion(field) {
  const form = field.form;
  if (!form?.matches?.("[data-insert]") || !field.matches("textarea[name=body]")) return null;
  if (!known.has(form)) known.set(form, new Insertion(form, field));
  return known.get(form);
}

// Before other listeners hear of it, for what is a file is no text. A cell copied from a sheet comes as text and as a picture
// of itself: then the text is meant.
document.addEventListener("paste", (event) => {
  const { files } = event.clipboardData;
  const here = files.length && !event.clipboardData.getData("text/plain") && insertion(event.target);
  if (!here) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  here.take(files);
}, { capture: true });

document.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files") && insertion(event.target)) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  const here = event.dataTransfer.files.length && insertion(event.target);
  if (!here) return;
  event.preventDefault();
  here.take(event.dataTransfer.files);
});
document.addEventListener("input", ({ target }) => {
  const here = known.get(target.form);
  if (here?.going && !target.value.includes(here.going.mark) && target === here.field) here.cancel();
});
// A text with a mark in it is not sent.
document.addEventListener("submit", (event) => {
  const here = known.get(event.target);
  if (!here?.going) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  here.status.append(` ${here.texts.wait}`);
}, { capture: true });
