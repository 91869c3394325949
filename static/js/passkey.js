// Passkeys of staff: make one, or show one. The server says what it wants in a block of JSON; the browser's answer goes back
// in a hidden field of the form. https://www.w3.org/TR/webauthn-3/

const BINARY = new Set(["challenge", "id"]);

function bytes(text) {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function text(buffer) {
  const characters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(characters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// The options with what is bytes as bytes: the challenge, and the ids of the user and of passkeys; not the host's name.
export function options(wanted) {
  const made = { ...wanted };
  for (const [name, value] of Object.entries(wanted)) {
    if (BINARY.has(name) && typeof value === "string") made[name] = bytes(value);
    if (name === "user") made[name] = options(value);
    if (Array.isArray(value) && name.endsWith("Credentials")) made[name] = value.map(options);
  }
  return made;
}

// What the server reads (RegistrationResponseJSON, AuthenticationResponseJSON).
export function answer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function ask(wanted) {
  if (wanted.creation_options) {
    return navigator.credentials.create({ publicKey: options(wanted.creation_options.publicKey) });
  }
  return navigator.credentials.get({ publicKey: options(wanted.request_options.publicKey) });
}

const form = document.querySelector("[data-passkey]");
if (form && window.PublicKeyCredential) {
  const failed = form.querySelector("[data-failed]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      const wanted = JSON.parse(document.getElementById("passkey-options").textContent);
      form.elements.credential.value = JSON.stringify(answer(await ask(wanted)));
      form.submit();
    } catch {
      failed.hidden = false;
      failed.focus();
    }
  });
} else if (form) {
  document.querySelector("[data-no-passkeys]").hidden = false;
}
