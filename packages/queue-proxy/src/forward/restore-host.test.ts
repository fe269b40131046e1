import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { RestoreHost } from "./restore-host.ts";

function pass(headers: Record<string, string>, context = new QueueProxyContext()) {
  const exchange = new RecordingExchange(context, { host: "nimporte.pas", headers });
  new RestoreHost().handle(exchange, () => {});
  return exchange;
}

test("V-11: the original host replaces Host and is not passed on", () => {
  const exchange = pass({ "K-Original-Host": "a-better-host.com" });
  expect(exchange.outgoing("Host")).toEqual(["a-better-host.com"]);
  expect(exchange.outgoing("K-Original-Host")).toEqual([]);
});

test("Q-21: an empty original host changes nothing", () => {
  expect(pass({ "K-Original-Host": "" }).outgoing("Host")).toEqual(["nimporte.pas"]);
});

test("Q-22, Q-23: revision and namespace go, all other fields of the platform stay", () => {
  const staying = {
    "K-Proxy-Request": "activator",
    "K-Network-Hash": "h",
    "K-Network-Probe": "queue",
    "K-Kubelet-Probe": "",
    "K-Passthrough-Lb": "true",
    "Knative-Serving-Tag": "t",
    "Knative-Serving-Default-Route": "false",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Host": "h",
    "X-Forwarded-Proto": "https",
  };
  const exchange = pass({
    "Knative-Serving-Revision": "r",
    "Knative-Serving-Namespace": "n",
    ...staying,
  });
  for (const [name, value] of Object.entries(staying)) expect(exchange.outgoing(name)).toEqual([value]);
  for (const name of ["Knative-Serving-Revision", "Knative-Serving-Namespace"])
    expect(exchange.outgoing(name)).toEqual([]);
});

test("Q-18: the kubelet's own request keeps its Host", () => {
  const context = new QueueProxyContext();
  context.isKubeletMarked = true;
  expect(pass({ "K-Original-Host": "other" }, context).outgoing("Host")).toEqual(["nimporte.pas"]);
});
