// Sends one file for another script, which asks by the event "send": { file, form, fields, signal, progress, done, failed }. `form`
// says in its data attributes where files go and what to say when one does not arrive. fetch() could not tell how far it has come.
const PATIENCE = 60_000; // ms in which something must have moved

document.addEventListener("send", ({ detail: { file, form, fields = {}, signal, progress, done, failed } }) => {
  const texts = form.dataset, sending = new XMLHttpRequest();
  const fail = (text, again = true) => failed(text.replace("{name}", file.name), again);
  if (file.size > Number(texts.most)) return fail(texts.tooLarge, false);
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", file, file.name); // last: what is said about it must be known before its bytes come
  let waiting = 0;
  const wait = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => sending.abort(), PATIENCE);
  };
  sending.open("POST", texts.send);
  sending.setRequestHeader("Accept", "application/json");
  sending.responseType = "json";
  sending.upload.addEventListener("progress", ({ loaded, total }) => {
    wait();
    progress(total ? loaded / total : 0);
  });
  sending.addEventListener("loadend", () => {
    clearTimeout(waiting);
    const { status, response } = sending;
    if (signal.aborted) return;
    if (status >= 200 && status < 300 && response) return done(response);
    if (status === 401) return fail(texts.signedOut);
    if (status === 413 && !response?.detail) return fail(texts.tooLarge, false);
    if (!status) return fail(texts.lost);
    const why = Object.values(response?.errors ?? {})[0] ?? response?.detail ?? "";
    fail(`${texts.refused} ${why}`, status === 429 || status >= 500);
  });
  signal.addEventListener("abort", () => sending.abort());
  wait();
  sending.send(body);
});
