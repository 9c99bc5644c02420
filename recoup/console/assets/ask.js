// Questions to the server, each answered once; an answer to an older question of the same kind is dropped.
export class Refused extends Error {}

export async function ask(path, parameters = {}) {
  return answered(await fetch(`${path}?${new URLSearchParams(parameters)}`, { headers: { Accept: "application/json" } }));
}

export async function tell(path, body, csrf) {
  return answered(await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Recoup-Csrf": csrf },
    body: JSON.stringify(body),
  }));
}

async function answered(response) {
  const text = await response.text();
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    throw new Refused(text.trim() || `The console answered ${response.status}.`);
  }
  if (!response.ok) throw new Refused(told.error);
  return told;
}
