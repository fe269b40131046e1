import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { type Clock, type Logger, READY_AGENT, READY_PATH } from "@rouse/shared";

export interface ReadyNotice {
  readonly namespace: string;
  readonly revision: string;
  /** Where the pod takes requests: `ip:port`. */
  readonly endpoint: string;
}

export interface ReadyListeners {
  readonly listeners: readonly { readonly host: string; readonly port: number }[];
  /** The address to say it from, where the pod has several: it is believed of its own alone. */
  readonly from: string | undefined;
}

/** Longest one activator may take. The watch tells it anyway, so this is not worth a second try. */
const PUSH_MS = 1_000;
/** Activators told; more than a system has. */
const ACTIVATORS_MAX = 64;

/**
 * Tells activators that the program is ready, before the API does (design §5). `host` may be a name with many addresses:
 * all are told. Nothing depends on it: an activator believes it of the address it comes from alone, and of pods it has been
 * told of by the watch.
 */
export async function pushReady(
  deps: { readonly clock: Clock; readonly log: Logger },
  { listeners, from }: ReadyListeners,
  notice: ReadyNotice,
): Promise<void> {
  const found = await Promise.all(
    listeners.map(async ({ host, port }) => {
      try {
        return (await lookup(host, { all: true })).map(({ address }) => ({ ip: address, port }));
      } catch (error) {
        deps.log.warn("no activator to tell that the program is ready", { host, error: String(error) });
        return [];
      }
    }),
  );
  await Promise.all(
    found
      .flat()
      .slice(0, ACTIVATORS_MAX)
      .map(({ ip, port }) => push(deps, { ip, port, from }, notice)),
  );
}

/** One request on a connection of its own, written and forgotten: its answer says nothing we could act on. */
function push(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  at: { readonly ip: string; readonly port: number; readonly from: string | undefined },
  notice: ReadyNotice,
): Promise<void> {
  const query = new URLSearchParams({ ...notice });
  const host = at.ip.includes(":") ? `[${at.ip}]` : at.ip;
  return new Promise((resolve) => {
    const socket = connect({
      host: at.ip,
      port: at.port,
      noDelay: true,
      ...(at.from === undefined ? {} : { localAddress: at.from }),
    });
    const finish = (because: string | undefined): void => {
      timer[Symbol.dispose]();
      socket.destroy();
      if (because !== undefined) log.debug("an activator was not told", { activator: at.ip, error: because });
      resolve();
    };
    const timer = clock.after(PUSH_MS, () => finish("no answer"));
    socket.on("error", (error) => finish(error.message));
    socket.once("data", () => finish(undefined));
    socket.once("end", () => finish("closed without an answer"));
    socket.write(
      `POST ${READY_PATH}?${query} HTTP/1.1\r\nHost: ${host}:${at.port}\r\nUser-Agent: ${READY_AGENT}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  });
}
