const MOST = 65536;

/**
 * Reads the text of a response, at most about 64 KiB of it.
 * @param {any} response
 */
export async function textOf({ body }) {
  const reader = body.getReader(), decoder = new TextDecoder();
  let text = "", part;
  while (text.length < MOST && !(part = await reader.read()).done) text += decoder.decode(part.value, { stream: true });
  reader.cancel();
  return text;
}
