// Say that Caps Lock is on while somebody types into a field.

export function watchCapsLock(input, hint) {
  const look = (event) => {
    if (typeof event.getModifierState === "function") hint.hidden = !event.getModifierState("CapsLock");
  };
  input.addEventListener("keydown", look);
  input.addEventListener("keyup", look);
  input.addEventListener("blur", () => { hint.hidden = true; });
}
