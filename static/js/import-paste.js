// Text fields of a form may hold 64 kB, files much more: send a long text as the file it once was.

const form = document.querySelector("[data-upload]");
const MOST = 48 * 1024;

function sendAsFile() {
  const { file, content, encoding } = form.elements;
  if (file.files.length || new Blob([content.value]).size <= MOST) return;
  const carrier = new DataTransfer();
  carrier.items.add(new File([content.value], "pasted.txt", { type: "text/plain" }));
  file.files = carrier.files;
  encoding.value = "utf-8";
  content.value = "";
}

if (form) form.addEventListener("submit", sendAsFile);
