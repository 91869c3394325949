// A button behind each text that people paste elsewhere. Without this the text can be marked and copied by hand.

if (navigator.clipboard) {
  for (const text of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "secondary";
    button.textContent = text.dataset.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = text.dataset.copied;
      setTimeout(() => (button.textContent = text.dataset.copy), 2500);
    });
    text.after(button);
  }
}
