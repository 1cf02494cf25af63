import { rowsOf } from "../../core/messages/sampling.js";
import { cell } from "../../core/messages/transfer.js";
import { h } from "../../ui/dom.js";

/** Lets the browser store a file. @param {Blob} blob @param {string} type the end of its name */
export function download(blob, type) {
  const url = URL.createObjectURL(blob);
  const name = `chart-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}.${type}`;
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may ask the user for a name first
  return name;
}

/**
 * Returns the points of series in a range of time as CSV, with a column for each series and all points.
 * @param {import("../../core/messages/series.js").Series[]} list
 * @param {number} from
 * @param {number} to
 */
export function csvOf(list, from, to) {
  const [times, ...columns] = rowsOf(list, list.map((series) => [series.indexAt(from), series.indexAt(to, true)]));
  const lines = [["time", ...list.map(({ name }) => name)].map((name) => cell(name)).join(",")];
  for (let i = 0; i < times.length; i++) lines.push([new Date(times[i]).toISOString(), ...columns.map((column) => column[i] ?? "")].join(","));
  return new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv" });
}

/**
 * Returns a picture of the chart with a legend, as PNG.
 * @param {HTMLCanvasElement} canvas
 * @param {{ colour: string, text: string }[]} legend
 * @param {HTMLElement} root its colours are those of the text and the background
 * @returns {Promise<Blob>}
 */
export function pictureOf(canvas, legend, root) {
  const scale = devicePixelRatio, line = 22 * scale, margin = 12 * scale;
  const picture = h("canvas", { width: canvas.width, height: canvas.height + legend.length * line + 2 * margin });
  const context = picture.getContext("2d"), { color, backgroundColor } = getComputedStyle(root);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, 0);
  context.font = `${13 * scale}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  legend.forEach(({ colour, text }, i) => {
    const y = canvas.height + margin + (i + 0.5) * line;
    context.fillStyle = colour;
    context.fillRect(margin, y - 6 * scale, 12 * scale, 12 * scale);
    context.fillStyle = color;
    context.fillText(text, margin + 20 * scale, y, picture.width - 2 * margin - 20 * scale);
  });
  return new Promise((resolve, reject) => picture.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser cannot make the picture"))), "image/png"));
}
