// Without the library "esnext.disposable", the typings do not bring in what it declares.
import { IotClient } from "../../www/iot.js";

// @ts-expect-error no such library is in use
export const key = Symbol.asyncDispose;
export const client: IotClient = new IotClient();
// @ts-expect-error nor has the client such a member
export const dispose = client[Symbol.asyncDispose];
