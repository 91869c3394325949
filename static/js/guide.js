// The guide: a button beside each value that is typed letter by letter. Without this the values are text to mark.

if (navigator.clipboard) {
  for (const value of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    const name = `${value.dataset.copy}: ${value.textContent}`;
    button.type = "button";
    button.className = "copy";
    button.textContent = value.dataset.copy;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(value.textContent);
      button.textContent = value.dataset.copied;
      button.setAttribute("aria-label", value.dataset.copied);
      setTimeout(() => {
        button.textContent = value.dataset.copy;
        button.setAttribute("aria-label", name);
      }, 2500);
    });
    value.after(button);
  }
}
