// Without the library "esnext.disposable", the typings do not declare its types.
import { IotClient } from "../../www/iot.js";

// @ts-expect-error the library is not used
export const key = Symbol.asyncDispose;
export const client: IotClient = new IotClient();
// @ts-expect-error the client has no such member
export const dispose = client[Symbol.asyncDispose];
