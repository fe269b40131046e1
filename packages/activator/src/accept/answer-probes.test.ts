import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { AnswerProbes } from "./answer-probes.ts";

function ask(headers: Record<string, string>, unhealthyBecause?: string) {
  const exchange = new RecordingExchange(undefined, { headers });
  let goesOn = false;
  new AnswerProbes({ unhealthyBecause }).handle(exchange, () => {
    goesOn = true;
  });
  return {
    goesOn,
    status: exchange.answer?.status,
    body: exchange.answer?.body,
    headers: exchange.answer?.headers,
  };
}

test.each([{ "User-Agent": "kube-probe/1.33" }, { "K-Kubelet-Probe": "x" }])(
  "A-25: %o is the kubelet",
  (headers) => {
    expect(ask(headers)).toMatchObject({ status: 200, body: undefined });
    expect(ask(headers, "received SIGTERM from kubelet")).toMatchObject({
      status: 500,
      body: "received SIGTERM from kubelet\n",
    });
  },
);

test("A-28: a network probe gets its hash back, or 400 without one", () => {
  const answer = ask({ "K-Network-Probe": "probe", "K-Network-Hash": "h" });
  expect(answer).toMatchObject({ status: 200, headers: { "K-Network-Hash": "h" } });
  expect(ask({ "K-Network-Probe": "probe" })).toMatchObject({
    status: 400,
    body: 'a probe request must contain a non-empty "K-Network-Hash" header',
  });
});

test("A-29: a probe of the activator is answered, one of another component refused", () => {
  expect(ask({ "K-Network-Probe": "activator" }, "leaving")).toMatchObject({
    status: 200,
    body: "activator",
  });
  expect(ask({ "K-Network-Probe": "queue" })).toMatchObject({
    status: 400,
    body: 'unexpected probe header value: "queue"',
  });
  expect(ask({ "K-Network-Probe": "<b>" }).body).toBe('unexpected probe header value: "&lt;b&gt;"');
});

test("A-29: an empty probe header is an ordinary request", () => {
  expect(ask({ "K-Network-Probe": "" }).goesOn).toBe(true);
});
