import { framed } from "./framed.js";

await framed("csp", {});
