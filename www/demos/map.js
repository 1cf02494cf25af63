// Draws the trucks on the map of trucks.html and dispatcher.html: on a transparent canvas above a picture of the city. Positions
// are in metres from the upper left corner.

export const WIDTH = 6000; // metres
const TRUCK = new Path2D("M-7.5-1.5h9q1.5 0 1.5 1.5v4q0 1.5-1.5 1.5h-9q-1.5 0-1.5-1.5v-4q0-1.5 1.5-1.5zM6-1h1q2 0 2 2v2q0 2-2 2h-1q-2 0-2-2v-2q0-2 2-2z"); // from above, on the right side of the road

/** Clears the canvas, and returns its context, in which a unit is a metre. */
export function clear(canvas) {
  const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio)), height = Math.round(width * 0.6);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.resetTransform();
  context.clearRect(0, 0, width, height);
  context.scale(width / WIDTH, width / WIDTH);
  return context;
}

/** Returns a colour of trucks.css. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

/** Draws a truck and the rings around it. The colours are names for the function colour. */
export function drawTruck(context, { x, y, heading }, fill, rings = []) {
  const scale = context.canvas.clientWidth / WIDTH; // CSS pixels in a metre
  const size = Math.max(0.7, Math.min(1.3, scale * 9)) / scale;
  context.save();
  context.translate(x, y);
  context.scale(size, size);
  context.rotate(heading);
  rings.forEach((ring, i) => {
    context.beginPath();
    context.arc(0, 2, 13 + 4 * i, 0, 7);
    Object.assign(context, { lineWidth: 2.5, strokeStyle: colour(ring) }).stroke();
  });
  Object.assign(context, { fillStyle: colour(fill), strokeStyle: colour("outline"), lineWidth: 1.5 });
  context.stroke(TRUCK);
  context.fill(TRUCK);
  context.restore();
}
