// This program uses every member of react.d.ts. It also contains mistakes that the typings must reject. The test compiles
// it and does not run it.
import { useEffect, useState } from "react";
import { IotClient } from "../../www/iot.js";
import type { Message, PublishResult, State } from "../../www/iot.js";
import { useConnection, usePublish, useShadow, useSubscription } from "../../www/react.js";
import type { ClientOptions, ConnectionOptions, ConnectionState, ShadowState, SubscriptionOptions } from "../../www/react.js";
import type * as declared from "../../www/react.js";
import * as source from "../../www/react-entry.js";

source satisfies typeof declared;

const client: ClientOptions = { client: new IotClient() };
const options: ConnectionOptions = { ...client, endpoint: "localhost", credentials: async () => ({ accessKeyId: "a", secretAccessKey: "b" }) };

export function Status() {
  const connection: ConnectionState = useConnection(options);
  const state: State = connection.state;
  const followed = useConnection({ client: new IotClient() }).state;
  return <p title={String(connection.error)}>{state} {followed} {useConnection().state}</p>;
}

export function Temperature({ room }: { room?: string }) {
  const [error, setError] = useState<unknown>();
  const given: SubscriptionOptions = { qos: 1, noLocal: true, onError: setError };
  const message: Message | undefined = useSubscription(`room/${room}/temperature`, { ...client, qos: 1, onError: setError });
  const list: readonly Message[] = useSubscription(room && `room/${room}/#`, { keep: 20, retainHandling: 2 });
  const last: Message | undefined = useSubscription(null);
  const publish = usePublish();
  const other = usePublish(client);
  useEffect(() => {
    const published: Promise<PublishResult> = publish("room/1", { json: 21.5 }, { qos: 1 });
    void Promise.all([published, other("room/2")]);
  }, [publish, other]);
  return <ul aria-label={String(error ?? given.keep)}>{message?.text()}{last?.topic}{list.map((m, i) => <li key={i}>{m.json<number>()}</li>)}</ul>;
}

export function Lamp() {
  const lamp: ShadowState = useShadow("lamp");
  const { reported, desired, delta, version, error, update } = useShadow("lamp", "colour", client);
  const typed = useShadow<{ on: boolean }>("lamp");
  const on: boolean | undefined = typed.reported?.on ?? typed.desired?.on ?? typed.delta?.on;
  const known: number | undefined = version;
  return (
    <button onClick={() => void update({ desired: { on: true } }, { retry: 1 })}>
      {JSON.stringify([reported, desired, delta, error, known, on, lamp.version])}
    </button>
  );
}

export function Mistakes() {
  // @ts-expect-error the option is called clientId
  useConnection({ endpoint: "localhost", clientID: "a" });
  // @ts-expect-error a client is passed as an option
  useConnection(new IotClient());
  // @ts-expect-error the state is read-only
  useConnection().state = "idle";
  // @ts-expect-error a filter is a string
  useSubscription(["a", "b"]);
  // @ts-expect-error there is no handler
  useSubscription("a", (message: Message) => message.text());
  // @ts-expect-error a component ends its subscription when it unmounts
  useSubscription("a", { signal: AbortSignal.timeout(1) });
  // @ts-expect-error no such QoS
  useSubscription("a", { qos: 3 });
  // @ts-expect-error the number of messages is a number
  useSubscription("a", { keep: "20" });
  // @ts-expect-error there may be no message yet
  useSubscription("a").text();
  // @ts-expect-error the last message is not a list
  useSubscription("a", { qos: 1 }).map(String);
  // @ts-expect-error the list is read-only
  useSubscription("a", { keep: 2 }).push();
  // @ts-expect-error a list has no text
  useSubscription("a", { keep: 2 }).text();
  // @ts-expect-error the topic is an argument of the returned function
  usePublish("a");
  // @ts-expect-error a payload is not a number
  void usePublish()("a", 21.5);
  // @ts-expect-error the name of the thing is missing
  useShadow();
  // @ts-expect-error options are the third argument
  useShadow("lamp", client);
  // @ts-expect-error an update has sections
  void useShadow("lamp").update({ on: true });
  // @ts-expect-error the section may be missing
  void useShadow<{ on: boolean }>("lamp").reported.on;
  // @ts-expect-error the type of a section is not known
  void useShadow("lamp").reported?.on;
  // @ts-expect-error a message is not a node
  return <p>{useSubscription("a")}</p>;
}
