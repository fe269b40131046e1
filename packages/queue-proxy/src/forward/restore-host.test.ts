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

test("Q-22, Q-23: revision and namespace go, the platform's other fields stay", () => {
  const exchange = pass({
    "Knative-Serving-Revision": "r",
    "Knative-Serving-Namespace": "n",
    "Knative-Serving-Tag": "t",
    "K-Proxy-Request": "activator",
  });
  const names = [
    "Knative-Serving-Revision",
    "Knative-Serving-Namespace",
    "Knative-Serving-Tag",
    "K-Proxy-Request",
  ];
  expect(names.map((name) => exchange.outgoing(name))).toEqual([[], [], ["t"], ["activator"]]);
});

test("Q-18: the kubelet's own request keeps its Host", () => {
  const context = new QueueProxyContext();
  context.isKubeletMarked = true;
  expect(pass({ "K-Original-Host": "other" }, context).outgoing("Host")).toEqual(["nimporte.pas"]);
});
