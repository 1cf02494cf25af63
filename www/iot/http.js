const MOST = 65536;

/**
 * The text of a response, of which no more than about 64 KiB are read.
 * @param {any} response
 */
export async function textOf({ body }) {
  const reader = body.getReader(), decoder = new TextDecoder();
  let text = "", part;
  while (text.length < MOST && !(part = await reader.read()).done) text += decoder.decode(part.value, { stream: true });
  reader.cancel();
  return text;
}
