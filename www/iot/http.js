const MOST = 65536;

/**
 * The text of a response, which fails when it is longer than 64 KiB.
 * @param {Response} response
 */
export async function textOf({ body }) {
  const decoder = new TextDecoder();
  let text = "";
  for (let reader = body?.getReader(), part; reader && !(part = await reader.read()).done; ) {
    text += decoder.decode(part.value, { stream: true });
    if (text.length > MOST) {
      reader.cancel();
      throw new RangeError("the answer is too long");
    }
  }
  return text;
}
