"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  const text = document.getElementById(button.dataset.copies);
  const references = [...text.querySelectorAll("li")].map((item, place) => `${place + 1}. ${item.textContent}`);
  const words = [...text.querySelectorAll("p")].map((part) => part.textContent).join("\n\n");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const whole = `${words}\n\nReferences\n\n${references.join("\n")}\n`;
    const copied = await navigator.clipboard?.writeText(whole).then(() => true, () => false);
    button.textContent = copied || copySelected(whole, button) ? "Copied" : "Not copied: select the text";
  });
}
// without the clipboard's permission, as in pages opened from some file systems
function copySelected(whole, button) {
  const field = document.createElement("textarea");
  field.value = whole;
  button.after(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  button.focus();
  return copied;
}
