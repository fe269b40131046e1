import { type Endpoint, endpoint, endpointAddress, SeededRandom, silentLogger } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ActivatorContext } from "../accept/context.ts";
import { PodSet } from "../balance/pod-set.ts";
import { forwardToPod } from "../forward/forward-to-pod.ts";
import { PodReach } from "../probe/pod-reach.ts";
import { newRevisionEntry, type RevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import { RevisionThrottle } from "./revision-throttle.ts";
import { Throttle } from "./throttle.ts";

const pod = (revision: number): Endpoint => endpoint({ ip: `10.0.${revision}.1`, port: 8012 });

function entryOf(revision: number): RevisionEntry {
  const pods = new PodSet({
    containerConcurrency: 100,
    connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
  });
  pods.setUsable([pod(revision)]);
  return newRevisionEntry({
    target: revisionTarget({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: "default", name: `r${revision}` },
      spec: { containers: [], containerConcurrency: 100 },
    }),
    uid: `${revision}`,
    throttle: new RevisionThrottle(pods, new SeededRandom(1)),
    reach: new PodReach("none"),
  });
}

test("when sockets are scarce revisions take turns, however long the queue of one is", () => {
  const clock = new VirtualClock();
  const throttle = new Throttle({ clock, log: silentLogger, missing: () => "", inFlightMax: 2 });
  const next = forwardToPod(throttle);
  const all: { readonly revision: number; readonly exchange: RecordingExchange<ActivatorContext> }[] = [];
  const entries = [entryOf(0), entryOf(1), entryOf(2)];
  const enter = (revision: number, count: number): void => {
    for (let request = 0; request < count; request++) {
      const context = new ActivatorContext();
      context.revision = entries[revision];
      const exchange = new RecordingExchange(context, { receivedAt: clock.now() });
      all.push({ revision, exchange });
      throttle.handle(exchange, next);
    }
  };
  enter(0, 50);
  enter(1, 5);
  enter(2, 5);
  const running = () => all.filter(({ exchange }) => exchange.state === "forwarding");
  expect(running().map(({ revision }) => revision)).toEqual([0, 0]);
  const started = running();
  for (let ended = 0; ended < 60; ended++) {
    expect(running().length).toBeLessThanOrEqual(2);
    started[ended]?.exchange.upstreamCompletes();
    started.push(...running().filter((each) => !started.includes(each)));
  }
  expect(started.length).toBe(60);
  // The first two ran before anyone had to wait; from then on each has every third turn, until the short ones are done.
  expect(started.slice(2, 11).map(({ revision }) => revision)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  const late = started.slice(2 + 15).map(({ revision }) => revision);
  expect(late.every((revision) => revision === 0)).toBe(true);
});
