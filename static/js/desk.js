// The desk in a hurry: "/" goes to the search, a checkbox selects the whole page, and the bar says how many are.

const search = document.querySelector("main [name=q], [data-find] [name=q]");
const find = document.querySelector("[data-find] [name=q]") ?? search;

document.addEventListener("keydown", (event) => {
  const { target } = event;
  const types = target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || types || !find) return;
  event.preventDefault();
  find.focus();
  find.select();
});

const form = document.querySelector("[data-bulk]");

if (form) {
  const boxes = [...form.querySelectorAll("[name=mailbox]")];
  const here = form.querySelector("[data-all-here]");
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");

  const show = () => {
    const number = boxes.filter((box) => box.checked).length;
    here.checked = number === boxes.length;
    here.indeterminate = number > 0 && number < boxes.length;
    for (const box of [...boxes, here]) box.disabled = Boolean(all?.checked);
    count.textContent = number && !all?.checked ? count.dataset.count.replace("{n}", number) : "";
  };

  here.closest("label").hidden = false;
  here.addEventListener("change", () => {
    for (const box of boxes) box.checked = here.checked;
    show();
  });
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show);
}
