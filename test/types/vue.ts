// This program uses every member of vue.d.ts. It also contains mistakes that the typings must reject. The test compiles
// it and does not run it.
import { computed, defineComponent, h, ref } from "vue";
import type { Ref } from "vue";
import { IotClient } from "../../www/iot.js";
import type { Message, State } from "../../www/iot.js";
import { useConnection, usePublish, useShadow, useSubscription } from "../../www/vue.js";
import type { ClientOptions, ConnectionOptions, ConnectionRefs, ShadowRefs, SubscriptionOptions } from "../../www/vue.js";
import type * as declared from "../../www/vue.js";
import * as source from "../../www/vue-entry.js";

source satisfies { [name in keyof typeof declared]: (...args: never[]) => unknown };

const client: ClientOptions = { client: new IotClient() };
const options: ConnectionOptions = { ...client, endpoint: "localhost", username: "a" };
const given: SubscriptionOptions = { qos: 1, onError: (error: unknown) => console.error(error) };

export const Temperature = defineComponent({
  props: { room: { type: String, required: true } },
  setup(props) {
    const connection: ConnectionRefs = useConnection(options);
    const state: Readonly<Ref<State>> = connection.state;
    const message: Readonly<Ref<Message | undefined>> = useSubscription(() => `room/${props.room}`, { qos: 1 });
    const list: Readonly<Ref<readonly Message[]>> = useSubscription(ref("a"), { keep: 20 });
    const last = useSubscription(computed(() => (props.room ? "a" : null)));
    const publish = usePublish();
    const lamp: ShadowRefs = useShadow("lamp");
    const { reported, desired, delta, version, error, update } = useShadow(() => props.room, ref("colour"), client);
    const on: boolean | undefined = useShadow<{ on: boolean }>("lamp").reported.value?.on;
    const number: number | undefined = version.value;
    const refs = { state, last, list, lamp };
    return () => h("button", { onClick: () => Promise.all([publish("a", "b"), update({ desired: { on: true } })]) },
      [connection.error.value, message.value?.text(), reported.value, desired.value, delta.value, error.value, number, on, given.keep, refs.list.value.length].join());
  },
});

export function mistakes() {
  // @ts-expect-error the option is called clientId
  useConnection({ endpoint: "localhost", clientID: "a" });
  // @ts-expect-error the state is a ref
  useConnection().state satisfies State;
  // @ts-expect-error the ref is read-only
  useConnection().state.value = "idle";
  // @ts-expect-error a filter is a string
  useSubscription(() => 1);
  // @ts-expect-error the scope ends the subscription
  useSubscription("a", { signal: AbortSignal.timeout(1) });
  // @ts-expect-error the number of messages is a number
  useSubscription("a", { keep: "20" });
  // @ts-expect-error there may be no message yet
  useSubscription("a").value.text();
  // @ts-expect-error the list is read-only
  useSubscription("a", { keep: 2 }).value.push();
  // @ts-expect-error a payload is not a number
  void usePublish()("a", 21.5);
  // @ts-expect-error the name of the thing is missing
  useShadow();
  // @ts-expect-error options are the third argument
  useShadow("lamp", client);
  // @ts-expect-error an update has sections
  void useShadow("lamp").update({ on: true });
}
