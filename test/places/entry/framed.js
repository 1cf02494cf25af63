import { here } from "./page.js";

/** Runs the suite in a frame with these attributes. */
export async function framed(place, attributes) {
  await here(place, (about) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    for (const [name, value] of Object.entries({ src: `/frame/${place}`, ...attributes })) frame.setAttribute(name, value);
    addEventListener("message", ({ data, source }) => {
      if (source !== frame.contentWindow) return;
      if (data === "ready") source.postMessage(about, "*");
      else resolve();
    });
    document.body.append(frame);
  }));
}
