// This script prints the exports and members of the modules in www/. types_test.go compares them with the output
// of members.mjs.
import * as iot from "../../www/iot.js";
import * as cognito from "../../www/cognito.js";
import * as diagnose from "../../www/diagnose.js";
import * as jobs from "../../www/jobs.js";
import * as packets from "../../www/packets.js";
import * as presence from "../../www/presence.js";
import * as shadow from "../../www/shadow.js";
import { Message } from "../../www/iot/message.js";

const kinds = (object) => Object.fromEntries(Object.keys(object).sort().map((key) => [key, typeof object[key]]));
const names = (prototype) => Object.getOwnPropertyNames(prototype).filter((key) => key !== "constructor").sort();

console.log(JSON.stringify({
  exports: { "iot.d.ts": kinds(iot), "cognito.d.ts": kinds(cognito), "shadow.d.ts": kinds(shadow), "jobs.d.ts": kinds(jobs), "presence.d.ts": kinds(presence), "diagnose.d.ts": kinds(diagnose), "packets.d.ts": kinds(packets) },
  own: Object.getOwnPropertyNames(iot.iot).sort(),
  prototypes: {
    IotClient: names(iot.IotClient.prototype), Message: names(Message.prototype),
    Shadow: names(Object.getPrototypeOf(shadow.shadow(iot.iot, "thing"))), Jobs: names(jobs.jobs(iot.iot, "thing")),
    Presence: [...names(Object.getPrototypeOf(presence.presence(iot.iot))), "addEventListener"], // as that of an EventTarget
  },
}));
process.exit(0);
