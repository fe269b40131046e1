import { createServer, type IncomingMessage } from "node:http";
import { endpoint, RealClock, ServiceKind } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { askPod } from "../src/probe/ask-pod.ts";
import { type Address, turn, World } from "./world.ts";

const isProbe = ({ headers }: IncomingMessage): boolean => headers["k-network-probe"] !== undefined;
/** As the sidecar of a mesh, which lets nobody pass. */
const refusing = (world: World, asked: string[] = []): Promise<Address> =>
  world.pod((request, response) => {
    asked.push(request.url ?? "");
    response.statusCode = 503;
    response.end("upstream connect error");
  });
const serving = (world: World, name: string): Promise<Address> =>
  world.pod((request, response) => response.end(isProbe(request) ? "queue" : name));

describe("mode auto", () => {
  test("A-58: a pod that answers is used, and its Service is not", async () => {
    await using world = await World.start({ mesh: "auto" });
    await world.createRevision();
    await world.createService(await serving(world, "by its Service"));
    await world.setPods([await serving(world, "directly")]);
    expect((await world.call()).body).toBe("directly");
  });

  test("A-58, A-59: where no pod can be reached and the Service can, requests go to the Service", async () => {
    await using world = await World.start({ mesh: "auto" });
    await world.createRevision();
    await world.createService(await serving(world, "by its Service"));
    const call = world.call();
    await world.untilHeld(1);
    await world.setPods([await refusing(world)]);
    expect((await call).body).toBe("by its Service");
    expect(world.activator.snapshot()[0]?.pods).toBe(1);
  });

  test("A-58: a pod that answers with something else is no sign of a mesh: it is asked on, and used once it is ready", async () => {
    await using world = await World.start({ mesh: "auto", probing: { periodMs: 1, timeoutMs: 1_000 } });
    await world.createRevision();
    await world.createService(await serving(world, "by its Service"));
    let probes = 0;
    const pod = await world.pod((request, response) => {
      if (isProbe(request) && ++probes < 5) response.statusCode = 404;
      response.end(isProbe(request) && probes >= 5 ? "queue" : "directly");
    });
    await world.setPods([pod]);
    expect((await world.call()).body).toBe("directly");
    expect(probes).toBe(5);
  });

  test("A-60: after a scale to zero it is found out anew", async () => {
    await using world = await World.start({ mesh: "auto" });
    await world.createRevision();
    await world.createService(await serving(world, "by its Service"));
    await world.setPods([await refusing(world)]);
    expect((await world.call()).body).toBe("by its Service");
    await world.setPods([]);
    while (world.activator.snapshot()[0]?.pods !== 0) await turn();
    await world.setPods([await serving(world, "directly")]);
    expect((await world.call()).body).toBe("directly");
  });
});

test("A-146: a Service that comes back with another address is gone to there", async () => {
  await using world = await World.start({ mesh: "service" });
  await world.createRevision();
  await world.createService(await serving(world, "first"));
  await world.setPods([await refusing(world)]);
  expect((await world.call()).body).toBe("first");
  await world.client.delete(ServiceKind, { namespace: "default", name: "hello-00001-private" });
  while (world.activator.snapshot()[0]?.pods !== 0) await turn();
  const call = world.call();
  await world.untilHeld(1);
  await world.createService(await serving(world, "second"));
  expect((await call).body).toBe("second");
});

describe("the question to a pod", () => {
  const ask = async (answer: Parameters<World["pod"]>[0], through?: string) => {
    await using world = await World.start();
    const pod = await world.pod(answer);
    const options = { clock: new RealClock(), timeoutMs: 5_000, signal: new AbortController().signal };
    return await askPod(endpoint(pod), { ...options, ...(through === undefined ? {} : { through }) });
  };

  test("A-147: a body that goes on is not waited for, nor kept", async () => {
    let isCut = false;
    const answer = await ask((_, response) => {
      response.on("close", () => {
        isCut = true;
      });
      const more = (): void => {
        if (isCut) return;
        response.write("x".repeat(100));
        setImmediate(more);
      };
      more();
    });
    while (!isCut) await turn();
    expect(answer).toBe("unready");
  });

  test.each([
    { status: 200, body: "queue", want: "ready" },
    { status: 200, body: "other", want: "unready" },
    { status: 404, body: "queue", want: "unready" },
    { status: 503, body: "", want: "unreachable" },
    { status: 502, body: "queue", want: "unreachable" },
  ])("A-58: $status with '$body' is $want", async ({ status, body, want }) => {
    const answer = await ask((_, response) => {
      response.statusCode = status;
      response.end(body);
    });
    expect(answer).toBe(want);
  });

  test("A-22: through a mesh that lets pass who names the Service", async () => {
    let seen: IncomingMessage["headers"] = {};
    const answer = await ask((request, response) => {
      seen = request.headers;
      response.end("queue");
    }, "hello-private.default");
    expect(answer).toBe("ready");
    expect(seen).toMatchObject({ host: "hello-private.default", "k-passthrough-lb": "true" });
  });
});

test("A-11: a port that is taken ends the start at once, and leaves nothing behind", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(World.start({ h2cPort: port })).rejects.toThrow("EADDRINUSE");
  await new Promise<void>((resolve) => taken.close(() => resolve()));
});
