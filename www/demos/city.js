// The city of the trucks: its roads, its depots, and how they look. trucks.html and dispatcher.html share it. Positions are
// in metres from the upper left corner.

export const WIDTH = 6000;
export const HEIGHT = 3600;

// ---- roads: crossings in 9 columns and 5 rows, a little out of place, and roads between neighbours

const COLUMNS = 9;
const closed = new Set(["10-11", "12-21", "15-24", "20-29", "14-15", "24-33", "28-29", "33-34"]); // neighbours without a road

export const crossings = Array.from({ length: COLUMNS * 5 }, (_, i) => {
  const column = i % COLUMNS, row = Math.floor(i / COLUMNS);
  return { x: 230 + column * 692 + 110 * Math.sin(column * 2.1 + row * 1.7), y: 230 + row * 785 + 95 * Math.cos(column * 1.3 + row * 2.3), next: [] };
});
const roads = [];
crossings.forEach((from, i) => {
  for (const j of [i % COLUMNS < COLUMNS - 1 ? i + 1 : -1, i + COLUMNS]) {
    const to = crossings[j];
    if (!to || closed.has(`${i}-${j}`)) continue;
    from.next.push(to);
    to.next.push(from);
    const main = Math.floor(i / COLUMNS) === 2 && j === i + 1 || i % COLUMNS === 4 && j !== i + 1;
    roads.push({ from, to, main });
  }
});

/** The depots, each at a crossing. */
export const depots = { Harbour: crossings[16], Station: crossings[21], Airport: crossings[38] };

// ---- the picture

const dark = matchMedia("(prefers-color-scheme: dark)");
const DAY = {
  land: "#eceee7", house: "#d9dbd3", park: "#c9e3bd", tree: "#a3cc97", water: "#a8d2ee",
  edge: "#bfc5cb", road: "#ffffff", mainEdge: "#dcb65a", mainRoad: "#ffedb8", depot: "#3b4656", text: "#1b2230", halo: "#ffffff",
  blue: "#1d5fd6", amber: "#c2570c", silent: "#76808e", selected: "#1b2230", waiting: "#d01f5b",
};
const NIGHT = {
  land: "#161d28", house: "#263040", park: "#1d3a2d", tree: "#2b5140", water: "#173c5c",
  edge: "#10141a", road: "#414d5d", mainEdge: "#10141a", mainRoad: "#6b5f3a", depot: "#d5dde8", text: "#f0f3f8", halo: "#10141a",
  blue: "#7db2ff", amber: "#ffb14a", silent: "#8b95a3", selected: "#ffffff", waiting: "#ff7ba6",
};

const river = (x) => 2240 + 330 * Math.sin(x / 950) - x * 0.13;

/** Returns the point at a fraction of the way. */
const between = (a, b, part) => ({ x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part });

/** Draws the city. A pixel has the size px in metres. */
function drawCity(c, colours, px) {
  const line = (points, width, colour) => {
    c.beginPath();
    points.forEach(({ x, y }) => c.lineTo(x, y));
    Object.assign(c, { lineWidth: width, strokeStyle: colour, lineCap: "round", lineJoin: "round" }).stroke();
  };
  c.fillStyle = colours.land;
  c.fillRect(0, 0, WIDTH, HEIGHT);

  // Each block between four crossings is a park with trees, or has houses. The river comes next, and the roads cross it.
  for (let i = 0; i < crossings.length - COLUMNS; i++) {
    if (i % COLUMNS === COLUMNS - 1) continue;
    const corners = [i, i + 1, i + COLUMNS + 1, i + COLUMNS].map((n) => crossings[n]);
    const park = (i * 7) % 5 === 3;
    c.fillStyle = park ? colours.park : colours.land;
    c.beginPath();
    corners.forEach(({ x, y }) => c.lineTo(x, y));
    c.fill();
    for (let n = 0; n < 20; n++) {
      const u = 0.2 + (n % 5) * 0.15, v = 0.2 + Math.floor(n / 5) * 0.2; // where in the block
      const { x, y } = between(between(corners[0], corners[1], u), between(corners[3], corners[2], u), v);
      const size = 45 + ((i * 31 + n * 17) % 7) * 9; // a number that looks random
      if (Math.abs(y - river(x)) < 190) continue;
      c.fillStyle = park ? colours.tree : colours.house;
      c.beginPath();
      if (park) c.arc(x + size - 70, y - size + 70, size / 1.7, 0, 7);
      else c.roundRect(x - size / 2, y - size / 2, size, size * 0.9, 12);
      c.fill();
    }
  }
  line(Array.from({ length: 64 }, (_, i) => ({ x: i * 100 - 100, y: river(i * 100 - 100) })), 210, colours.water);
  const width = Math.max(60, 5 * px);
  for (const main of [false, true]) {
    const some = roads.filter((road) => road.main === main);
    for (const { from, to } of some) line([from, to], width + (main ? 60 : 30), main ? colours.mainEdge : colours.edge);
    for (const { from, to } of some) line([from, to], width + (main ? 25 : 0), main ? colours.mainRoad : colours.road);
  }
  Object.assign(c, { font: `600 ${12 * px}px system-ui, sans-serif`, textAlign: "center", lineWidth: 3 * px, strokeStyle: colours.halo });
  for (const [name, crossing] of Object.entries(depots)) {
    const x = crossing.x, y = crossing.y - 18 * px; // beside the road
    c.fillStyle = colours.depot;
    c.beginPath();
    c.roundRect(x - 9 * px, y - 9 * px, 18 * px, 18 * px, 4 * px);
    c.fill();
    c.fillStyle = colours.halo;
    c.beginPath();
    [[-6, 5], [-6, -1], [0, -5], [6, -1], [6, 5]].forEach(([dx, dy]) => c.lineTo(x + dx * px, y + dy * px)); // a hall
    c.fill();
    c.fillStyle = colours.text;
    c.strokeText(name, x, y - 13 * px);
    c.fillText(name, x, y - 13 * px);
  }
}

/** Returns a function that clears a canvas to the picture of the city, and returns its context, in which a unit is a metre. */
export function cityOn(canvas) {
  const picture = document.createElement("canvas");
  let last;
  return () => {
    const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio)), scale = width / WIDTH;
    const state = `${width} ${dark.matches}`;
    if (state !== last) {
      last = state;
      for (const it of [canvas, picture]) Object.assign(it, { width, height: Math.round(HEIGHT * scale) });
      const c = picture.getContext("2d");
      c.scale(scale, scale);
      drawCity(c, dark.matches ? NIGHT : DAY, devicePixelRatio / scale);
    }
    const context = canvas.getContext("2d");
    context.resetTransform();
    context.drawImage(picture, 0, 0);
    context.scale(scale, scale);
    return context;
  };
}

/**
 * Draws a truck from above, on the right side of its road. The colour is "blue", "amber" or "silent". Each ring, "selected"
 * or "waiting", marks the truck.
 */
export function drawTruck(context, { x, y, heading }, colour, rings = []) {
  const colours = dark.matches ? NIGHT : DAY;
  const scale = context.getTransform().a / devicePixelRatio; // CSS pixels in a metre
  const size = Math.max(0.7, Math.min(1.3, scale * 9)) / scale;
  context.save();
  context.translate(x, y);
  context.scale(size, size);
  context.rotate(heading);
  context.translate(0, 2);
  rings.forEach((ring, i) => {
    context.beginPath();
    context.arc(0, 0, 13 + 4 * i, 0, 7);
    Object.assign(context, { lineWidth: 2.5, strokeStyle: colours[ring] }).stroke();
  });
  Object.assign(context, { fillStyle: colours[colour], lineWidth: 1.5, strokeStyle: colours.halo });
  context.beginPath();
  context.roundRect(-9, -3.5, 12, 7, 1.5); // the box
  context.roundRect(4, -3, 5, 6, 2); // the cab
  context.stroke();
  context.fill();
  context.restore();
}

/** Draws the way of a truck: a line along its last positions. */
export function drawTrail(context, positions, colour) {
  context.beginPath();
  positions.forEach(({ x, y }) => context.lineTo(x, y));
  context.lineWidth = (3 * devicePixelRatio) / context.getTransform().a;
  context.strokeStyle = (dark.matches ? NIGHT : DAY)[colour];
  context.stroke();
}
