import {
  GarbageCollector,
  NamespaceCleaner,
  ObjectStore,
  RealClock,
  RealRandom,
  silentLogger,
} from "@rouse/shared";
import { ApiHandler } from "../../src/api-server/wire/api-handler.ts";
import { ApiListener } from "../../src/api-server/wire/api-listener.ts";
import { makeIdentity } from "../../src/home/api-access.ts";

/**
 * The API alone on a port of its own, until it is disposed: storage, collectors and the built-in kinds' rules, but no
 * controllers and no admission of Serving, which the recorded server did not have either.
 */
export async function serveApi() {
  const clock = new RealClock();
  const random = new RealRandom();
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const collectors = [new GarbageCollector({ store, clock }), new NamespaceCleaner({ store, clock })];
  const podOutput = {
    lines: () => undefined,
    previous: () => undefined,
    follow: () => ({ [Symbol.dispose]: () => {} }),
  };
  const handler = new ApiHandler({ store, clock, random, log: silentLogger, podOutput });
  const tls = makeIdentity(clock.wall());
  const token = "a-token";
  const listener = await ApiListener.start(
    { handler, log: silentLogger },
    { kind: "loopback", ip: "127.0.0.1", port: 0, tls, token },
  );
  const close = async (): Promise<void> => {
    await listener.close();
    for (const collector of collectors) collector[Symbol.dispose]();
  };
  const url = `https://127.0.0.1:${listener.port}`;
  return { store, url, token, ca: tls.cert, port: listener.port, [Symbol.asyncDispose]: close };
}
