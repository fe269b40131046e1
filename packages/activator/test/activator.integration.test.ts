import { endpoint, exposition, RevisionKind, revisionKey } from "@rouse/shared";
import { expect, test } from "vitest";
import { turn, World } from "./world.ts";

const key = revisionKey({ namespace: "default", name: "hello-00001" });

test("A-19, A-21, A-31, A-86: a request without a pod pokes once, is held, and goes out when the watch shows one", async () => {
  await using world = await World.start();
  await world.createRevision();
  const calls = [world.call(), world.call(), world.call()];
  await world.untilHeld(3);
  expect(
    world.sent.map(({ revision, stat }) => [revision, stat.averageConcurrentRequests, stat.requestCount]),
  ).toEqual([[key, 1, 1]]);
  const pod = await world.pod((request, response) => response.end(JSON.stringify(request.headers)));
  await world.setPods([pod]);
  const answers = await Promise.all(calls);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const seen: Record<string, string> = JSON.parse(answers[0]?.body ?? "{}");
  expect(seen).toMatchObject({ "k-proxy-request": "activator", "x-forwarded-for": "127.0.0.1" });
  expect(Object.keys(seen)).not.toContain("knative-serving-revision");
});

test("A-62: a pod said to be ready is used before the watch knows it", async () => {
  await using world = await World.start();
  await world.createRevision();
  const call = world.call();
  await world.untilHeld(1);
  const pod = await world.pod((_, response) => response.end("hi"));
  world.activator.podReady(key, endpoint(pod));
  expect((await call).body).toBe("hi");
});

test("A-118: a pod that is listed as not ready is used once its queue-proxy says it is", async () => {
  await using world = await World.start();
  await world.createRevision();
  const call = world.call();
  await world.untilHeld(1);
  const probes: string[] = [];
  const pod = await world.pod((request, response) => {
    if (request.headers["user-agent"] !== "Knative-Activator-Probe") {
      response.end("hi");
      return;
    }
    probes.push(`${request.method} ${request.url} ${request.headers["k-network-probe"]}`);
    response.statusCode = probes.length === 1 ? 503 : 200;
    response.end(probes.length === 1 ? "" : "queue");
  });
  await world.setPods([], [pod]);
  expect((await call).body).toBe("hi");
  expect(probes).toEqual(["GET /healthz queue", "GET /healthz queue"]);
});

test("A-69, A-82: a hundred at once at one place each: all served, never two together on a pod", async () => {
  await using world = await World.start();
  await world.createRevision({ containerConcurrency: 1 });
  let most = 0;
  const makePod = () => {
    let running = 0;
    return world.pod((_, response) => {
      most = Math.max(most, ++running);
      setImmediate(() => {
        running--;
        response.end("hi");
      });
    });
  };
  const pods = [await makePod(), await makePod()];
  const calls = Array.from({ length: 100 }, () => world.call());
  await world.untilHeld(100);
  await world.setPods(pods);
  const answers = await Promise.all(calls);
  expect(answers.filter(({ status }) => status === 200).length).toBe(100);
  expect(most).toBe(1);
  expect(world.activator.snapshot()).toMatchObject([{ held: 0, inFlight: 0, pods: 2, capacity: 2 }]);
});

test("A-70: a client that leaves while it is held is forgotten", async () => {
  await using world = await World.start();
  await world.createRevision();
  const leave = new AbortController();
  const gone = world.call({}, leave.signal);
  const stays = world.call();
  await world.untilHeld(2);
  leave.abort();
  await expect(gone).rejects.toThrow();
  await world.untilHeld(1);
  let served = 0;
  const pod = await world.pod((_, response) => {
    served++;
    response.end("hi");
  });
  await world.setPods([pod]);
  await stays;
  expect(served).toBe(1);
});

test("A-65, A-104: a pod that refuses connections is passed over", async () => {
  await using world = await World.start();
  await world.createRevision({ containerConcurrency: 10 });
  const pod = await world.pod((_, response) => response.end("hi"));
  await world.setPods([await world.nothing(), pod]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => world.call()));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

test("with the only pod unreachable the request waits for the next one", async () => {
  await using world = await World.start();
  await world.createRevision();
  await world.setPods([await world.nothing()]);
  const call = world.call();
  await world.untilHeld(1);
  await world.setPods([await world.pod((_, response) => response.end("hi"))]);
  expect((await call).body).toBe("hi");
});

test("who waits for a revision that cannot start is told why at once", async () => {
  await using world = await World.start();
  await world.createRevision();
  const call = world.call();
  await world.untilHeld(1);
  const state = { waiting: { reason: "RunContainerError", message: "no such command: nope" } };
  await world.createPod({
    phase: "Pending",
    containerStatuses: [{ name: "user-container", ready: false, restartCount: 0, state }],
  });
  const answer = await call;
  expect([answer.status, answer.body]).toEqual([
    503,
    'revision "default/hello-00001" cannot start: RunContainerError: no such command: nope\n',
  ]);
});

test("A-34: a wait that is over its limit ends with 504 and what was missing", async () => {
  await using world = await World.start();
  await world.createRevision({}, { "rouse.dev/max-wait": "20ms" });
  const answer = await world.call();
  expect([answer.status, answer.body]).toEqual([
    504,
    'activator request timeout: waited 20ms for a pod of revision "default/hello-00001": no pod was created\n',
  ]);
});

test("A-35: a pod that has the request and is silent: 504, exactly", async () => {
  await using world = await World.start();
  await world.createRevision({ responseStartTimeoutSeconds: 0.05 });
  await world.setPods([await world.pod(() => {})]);
  const answer = await world.call();
  expect([answer.status, answer.body]).toEqual([504, "activator request timeout"]);
});

test("A-66: those held for a revision that is deleted are told at once", async () => {
  await using world = await World.start();
  await world.createRevision();
  const call = world.call();
  await world.untilHeld(1);
  await world.client.delete(RevisionKind, { namespace: "default", name: "hello-00001" });
  const answer = await call;
  expect([answer.status, answer.body]).toEqual([
    404,
    'Error getting active endpoint: revision.serving.knative.dev "hello-00001" not found\n',
  ]);
  while (world.activator.snapshot().length > 0) await turn();
});

test("A-17, A-24: nobody knows the revision: 404 and no poke", async () => {
  await using world = await World.start();
  const answer = await world.call({ "Knative-Serving-Revision": "nope" });
  expect([answer.status, answer.body, world.sent]).toEqual([
    404,
    'Error getting active endpoint: revision.serving.knative.dev "nope" not found\n',
    [],
  ]);
});

test("A-30: the autoscaler's question is answered, path or no path", async () => {
  await using world = await World.start();
  const answer = await world.call({
    "User-Agent": "Knative-Autoscaling-Probe",
    "K-Network-Probe": "activator",
  });
  expect([answer.status, answer.body]).toEqual([200, "activator"]);
});

test("A-1: the second port gives the same service", async () => {
  await using world = await World.start();
  await world.createRevision();
  await world.setPods([await world.pod((_, response) => response.end("hi"))]);
  const { h2cPort = 0, address } = world.activator;
  expect(h2cPort).not.toBe(address.port);
  expect((await world.call({}, undefined, h2cPort)).body).toBe("hi");
  expect((await world.call({ "K-Network-Probe": "activator" }, undefined, h2cPort)).body).toBe("activator");
});

test("an answer says what its request waited for, if its revision wants that", async () => {
  await using world = await World.start();
  await world.createRevision({}, { "rouse.dev/server-timing": "enabled" });
  const call = world.call();
  await world.untilHeld(1);
  await world.setPods([await world.pod((_, response) => response.end("hi"))]);
  const field = (await call).headers["server-timing"] ?? "";
  expect(field).toMatch(/^decide;dur=[\d.]+, .*release;dur=[\d.]+, respond;dur=[\d.]+, total;dur=[\d.]+$/);
  const text = exposition(world.activator.metrics());
  expect(text).toContain('rouse_activator_cold_start_seconds_count{phase="respond"} 1');
});

test("A-20: Host is the pod's address, and what the client asked for is told beside it", async () => {
  await using world = await World.start();
  await world.createRevision();
  const pod = await world.pod((request, response) => response.end(JSON.stringify(request.headers)));
  await world.setPods([pod]);
  const seen = async (headers: Record<string, string>) => JSON.parse((await world.call(headers)).body);
  expect(await seen({ Host: "hello.example.org" })).toMatchObject({
    host: `${pod.ip}:${pod.port}`,
    "k-original-host": "hello.example.org",
  });
  expect(await seen({ Host: "inner", "K-Original-Host": "outer" })).toMatchObject({
    "k-original-host": "outer",
  });
});

test("A-22: through a mesh pods are named by their Service", async () => {
  await using world = await World.start({ mesh: "passthrough" });
  await world.createRevision();
  await world.setPods([
    await world.pod((request, response) => response.end(JSON.stringify(request.headers))),
  ]);
  expect(JSON.parse((await world.call({ Host: "hello.example.org" })).body)).toMatchObject({
    host: "hello-00001-private.default",
    "k-passthrough-lb": "true",
    "k-original-host": "hello.example.org",
  });
});

test("A-59, A-61: in a mesh requests go to the Service, once a pod is ready, and pods are never asked", async () => {
  await using world = await World.start({ mesh: "service", watchesPods: false });
  await world.createRevision();
  const asked: string[] = [];
  const service = await world.pod((_, response) => response.end("by service"));
  const pod = await world.pod((request, response) => {
    asked.push(request.url ?? "");
    response.end("queue");
  });
  const call = world.call();
  await world.untilHeld(1);
  await world.setPods([], [pod]);
  await world.createService(service);
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(world.held).toBe(1);
  await world.setPods([pod]);
  expect([(await call).body, asked]).toEqual(["by service", []]);
});
