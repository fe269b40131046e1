import { request } from "node:http";
import { READY_AGENT, READY_PATH } from "@rouse/shared";
import { expect, test } from "vitest";
import { type Address, turn, World } from "./world.ts";

/** Asks for no pod itself before a test is over: what is released was released by a notice. */
const probing = { periodMs: 60_000, timeoutMs: 300 };

/** What a queue-proxy says, and the status of the answer. */
function say(
  world: World,
  pod: Address,
  { revision = "hello-00001", from = "127.0.0.1" } = {},
): Promise<number> {
  const query = new URLSearchParams({ namespace: "default", revision, endpoint: `${pod.ip}:${pod.port}` });
  const { ip, port } = world.activator.address;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: ip, port, localAddress: from, agent: false, method: "POST" },
        path: `${READY_PATH}?${query}`,
        headers: { "User-Agent": READY_AGENT },
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await turn();
}

test("design 5: what is held for a pod goes out when the pod says it is ready, before the watch does", async () => {
  await using world = await World.start({ probing });
  await world.createRevision();
  const call = world.call();
  await world.untilHeld(1);
  const pod = await world.pod((_, response) => response.end("hi"));
  await world.setPods([], [pod]);
  await turns(5);
  expect(await say(world, pod)).toBe(200);
  expect((await call).body).toBe("hi");
});

test("a hostile notice gets nobody's requests: of another address, of no pod of the revision, or where Kubernetes decides", async () => {
  await using world = await World.start({ probing });
  await world.createRevision();
  const stolen: string[] = [];
  const hostile = await world.pod((request, response) => {
    stolen.push(request.url ?? "");
    response.end("stolen");
  });
  const pod = await world.pod((_, response) => response.end("hi"));
  await world.setPods([], [pod]);
  const call = world.call();
  await world.untilHeld(1);
  expect(await say(world, hostile, { from: "127.0.0.2" })).toBe(403);
  expect(await say(world, hostile)).toBe(200); // its own address, and a revision that is not its own
  expect(await say(world, hostile, { revision: "no-such-revision" })).toBe(200);
  await turns(50);
  expect([stolen, world.held]).toEqual([[], 1]);
  expect(await say(world, pod)).toBe(200);
  expect((await call).body).toBe("hi");
  expect(stolen).toEqual([]);
});

test("A-54: where Kubernetes alone says that a pod is ready, a notice changes nothing", async () => {
  await using world = await World.start({ probing });
  const readinessProbe = { exec: { command: ["true"] } }; // only the kubelet can run it
  await world.createRevision({ containers: [{ name: "user-container", readinessProbe }] });
  const pod = await world.pod((_, response) => response.end("hi"));
  await world.setPods([], [pod]);
  const call = world.call();
  await world.untilHeld(1);
  expect(await say(world, pod)).toBe(200);
  await turns(50);
  expect(world.held).toBe(1);
  await world.setPods([pod]);
  expect((await call).body).toBe("hi");
});
