// "Reply" leads to a page with a form. Here that form opens below the thread; each thread keeps what was written in its own.
const blank = document.getElementById("page-reply").content.firstElementChild;

function form(link) {
  const id = link.dataset.reply;
  const made = blank.cloneNode(true);
  made.hidden = true;
  made.elements.parent_id.value = id;
  made.elements.body.id = made.querySelector("label[for]").htmlFor = `reply-${id}`;
  made.querySelector("button[type=button]").addEventListener("click", () => {
    turn(link, made);
    link.focus();
  });
  link.after(made);
  return made;
}

function turn(link, answer) {
  answer.hidden = !answer.hidden;
  link.ariaExpanded = String(!answer.hidden);
  if (!answer.hidden) answer.elements.body.focus();
}

for (const link of document.querySelectorAll("a[data-reply]")) link.ariaExpanded = "false";

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-reply]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // in a tab of its own
  event.preventDefault();
  turn(link, link.nextElementSibling ?? form(link));
});
