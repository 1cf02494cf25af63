"""Eclipse Paho for Python, with MQTT 5 or 3.1.1, receives its own message.

It has no signer: the test has signed the path of the WebSocket.
"""
import json
import os
import sys
import threading

import paho.mqtt.client as mqtt

stand_in = json.loads(os.environ["STAND_IN"])
thing = stand_in["thing"]
version = {"5": mqtt.MQTTv5, "4": mqtt.MQTTv311, "3": mqtt.MQTTv31}[sys.argv[1]]
done = threading.Event()


def report(step, value=None):
    print(json.dumps([step, value]), flush=True)


def on_connect(client, userdata, flags, code, properties=None):
    report("connected", getattr(code, "value", code))
    client.subscribe(thing + "/+", qos=1)


def on_subscribe(client, userdata, mid, granted, properties=None):
    report("subscribed", [getattr(code, "value", code) for code in granted])
    client.publish(thing + "/hello", json.dumps({"hello": thing}), qos=1)


def on_message(client, userdata, message):
    report("received", [message.topic, json.loads(message.payload)])
    client.disconnect()


def on_disconnect(client, userdata, code, properties=None):
    report("stopped", getattr(code, "value", code))
    done.set()


client = mqtt.Client(client_id=thing, protocol=version, transport="websockets")
client.ws_set_options(path=stand_in["path"])
client.tls_set(ca_certs=stand_in["caFile"])
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.on_disconnect = on_disconnect
client.connect(stand_in["host"], stand_in["port"], keepalive=60)
client.loop_start()
done.wait()
client.loop_stop()
