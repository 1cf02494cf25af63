const MAX_LENGTH = 65536; // in characters

/**
 * Returns the text of a response. It stops reading when the text has 65,536 characters or
 * more, so that a large response does not fill the memory.
 * @param {any} response
 */
export async function textOf({ body }) {
  const reader = body.getReader(), decoder = new TextDecoder();
  let text = "", part;
  while (text.length < MAX_LENGTH && !(part = await reader.read()).done) text += decoder.decode(part.value, { stream: true });
  reader.cancel();
  return text;
}
