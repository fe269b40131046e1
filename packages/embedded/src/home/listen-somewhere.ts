import type { Random } from "@rouse/shared";

/** The second part of the activator's 127.x.y.z; pods have theirs below (`PodAddresses`). */
const SECOND_MIN = 251;
const SECOND_MAX = 254;
const TRIES_MAX = 32;

/**
 * Starts what listens on `port`, at a loopback address of its own: drawn until one is free. Where there is only
 * 127.0.0.1, there, on a port the system chooses.
 * @throws what `start` throws, but for an address in use
 */
export async function listenSomewhere<R>(
  random: Random,
  options: { readonly port: number; readonly hasOwnAddress: boolean },
  start: (place: { readonly ip: string; readonly port: number }) => Promise<R>,
): Promise<R> {
  if (!options.hasOwnAddress) return start({ ip: "127.0.0.1", port: 0 });
  for (let tries = 1; ; tries++) {
    const second = random.integer(SECOND_MIN, SECOND_MAX);
    const ip = `127.${second}.${random.integer(1, 254)}.${random.integer(1, 254)}`;
    try {
      return await start({ ip, port: options.port });
    } catch (error) {
      if (!isAddressInUse(error) || tries === TRIES_MAX) throw error;
    }
  }
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
