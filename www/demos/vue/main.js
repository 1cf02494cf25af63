import { createApp } from "vue";
import { cognito } from "iot.wasm/cognito";
import Dashboard from "./Dashboard.vue";

// The server is the local stand-in. Everyone is a guest of its identity pool, so this page contains no key.
const local = await (await fetch("../../../local.json")).json();
const server = { endpoint: local.endpoint, region: local.region, credentials: cognito(local.cognito) };

createApp(Dashboard, { server }).mount("#root");
